// Who changed the rules, in real namespaces: real nft and iptables beside a watcher of the same network.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { TOUCHED_MAX } from "../../src/core/event/decode/rules-change.ts";
import { cgroupMount } from "../../src/edge/host/scope-cgroup.ts";
import { ORIGINS_PER_SECOND_MAX, type RulesChange } from "../../src/edge/kernel/rules-watch.ts";
import { run } from "../support/host/command.ts";
import { type Host, startHost } from "../support/host/host.ts";
import { startReaper } from "../support/host/reaper.ts";
import { only, tells, touchedBy, type Watcher, watchOn } from "../support/host/rules-watcher.ts";

const OURS = `table inet seawall {
  set pins { type ipv4_addr; flags timeout; }
  chain g1/input { accept; }
}
`;
const LOADED = [
  "new chain inet seawall",
  "new rule inet seawall",
  "new set inet seawall",
  "new table inet seawall",
];
const FLOOD = 10_000;
/** Far more than it takes (about 15 ms): a decoder that looks into each element takes longer on any machine. */
const FLOOD_CPU_MS_MAX = 500;

describe("a change of the rules is told once, with its program and its tables", () => {
  let host: Host;
  let watcher: Watcher;
  before(async () => {
    host = await startHost();
    watcher = await watchOn(host);
  });
  after(async () => {
    await watcher?.stop();
    await host?.stop();
  });

  const load = (text: string) => host.shell("nft -f -", { input: text });

  it("nft -f", async () => {
    const change = only(await watcher.during(() => load(OURS)));
    assert.deepEqual(touchedBy(change), LOADED);
    assert.deepEqual([change.program, change.own, change.untold], ["nft", false, 0]);
    assert.ok(change.pid > 0);
  });

  it("a rule of somebody else in our table", async () => {
    const change = only(
      await watcher.during(() => host.shell("nft insert rule inet seawall g1/input tcp dport 22 accept")),
    );
    assert.deepEqual(touchedBy(change), ["new rule inet seawall"]);
  });

  it("an element of somebody else in our table", async () => {
    const change = only(
      await watcher.during(() => host.shell("nft add element inet seawall pins { 192.0.2.66 timeout 1h }")),
    );
    assert.deepEqual(touchedBy(change), ["new element inet seawall"]);
  });

  it("a table of somebody else that accepts", async () => {
    const theirs = "table ip theirs {\n chain in { type filter hook input priority -400; accept; }\n}\n";
    const change = only(await watcher.during(() => load(theirs)));
    assert.deepEqual(touchedBy(change), ["new chain ip theirs", "new rule ip theirs", "new table ip theirs"]);
  });

  it("iptables", async () => {
    const changes = await watcher.during(() => host.shell("iptables -A INPUT -p tcp --dport 8080 -j ACCEPT"));
    assert.deepEqual(new Set(changes.map(({ program }) => program)), new Set(["iptables"]));
    assert.ok(
      changes.flatMap(touchedBy).includes("new rule ip filter"),
      changes.flatMap(touchedBy).join("; "),
    );
  });

  it("nft delete table inet seawall", async () => {
    const change = only(await watcher.during(() => host.shell("nft delete table inet seawall")));
    assert.ok(touchedBy(change).includes("deleted table inet seawall"));
    assert.equal(change.program, "nft");
  });

  it("nft flush ruleset takes every table", async () => {
    await watcher.during(() => load(OURS));
    const gone = touchedBy(only(await watcher.during(() => host.shell("nft flush ruleset"))));
    for (const table of ["inet seawall", "ip theirs", "ip filter"])
      assert.ok(gone.includes(`deleted table ${table}`), table);
  });

  it("the restart of nftables.service: ours is gone and the one of its file is there, in one change", async () => {
    await watcher.during(() => load(OURS));
    const conf =
      "flush ruleset\ntable inet filter {\n chain input { type filter hook input priority 0; }\n}\n";
    await host.shell("cat >/etc/nftables.conf", { input: conf });
    const restart = "/usr/sbin/nft flush ruleset; /usr/sbin/nft -f /etc/nftables.conf";
    const changes = await watcher.during(() => host.shell(restart));
    assert.equal(changes.length, 2);
    assert.ok(touchedBy(changes[0]).includes("deleted table inet seawall"));
    assert.deepEqual(touchedBy(changes[1]), ["new chain inet filter", "new table inet filter"]);
  });

  it("a name with control characters is plain text", async () => {
    const change = only(await watcher.during(() => watcher.ask("table", "a\u001b[31m\u0007b\u202e")));
    assert.match(touchedBy(change).join(), /^new table ip a\?\[31m\?b\?+$/);
  });

  it("a program whose name holds control characters is plain text", async () => {
    const change = only(
      await watcher.during(() =>
        host.shell(`odd="/run/$(printf 'n\\033[2Jft')"; cp /usr/sbin/nft "$odd"; "$odd" add table ip odd`),
      ),
    );
    assert.equal(change.program, "n?[2Jft");
  });

  it("a transaction over many tables is told in a bounded summary", async () => {
    const names = Array.from({ length: 200 }, (_, at) => `add table ip many${at}\n`);
    const change = only(await watcher.during(() => load(names.join(""))));
    assert.equal(change.touched.length, TOUCHED_MAX);
    assert.equal(change.untold, 200 - TOUCHED_MAX);
  });

  it("what the watcher's own process loads with nft is its own", async () => {
    const change = only(await watcher.during(() => watcher.ask("load", JSON.stringify(OURS))));
    assert.deepEqual([change.own, change.program, touchedBy(change)], [true, "nft", LOADED]);
  });

  it("its own pins are not told, and cost little", async (context) => {
    await watcher.cpu();
    const changes = await watcher.during(() => watcher.ask("pin", 1_000));
    assert.deepEqual(changes, []);
    const { cpuMs } = await watcher.cpu();
    context.diagnostic(`1,000 pins: ${cpuMs.toFixed(0)} ms CPU, setting them included`);
  });
});

describe("a flood of elements", () => {
  let host: Host;
  let watcher: Watcher;
  before(async () => {
    host = await startHost();
    watcher = await watchOn(host);
    await host.shell("nft -f -", { input: "table ip flood {\n set s { type ipv4_addr; }\n}\n" });
  });
  after(async () => {
    await watcher?.stop();
    await host?.stop();
  });

  it("is counted: one change, one line", async (context) => {
    await watcher.cpu();
    const change = only(await watcher.during(() => host.shell("nft -f -", { input: elements(0, FLOOD) })));
    const { cpuMs } = await watcher.cpu();
    context.diagnostic(`${FLOOD} element messages: ${cpuMs.toFixed(0)} ms CPU`);
    assert.deepEqual(touchedBy(change), ["new element ip flood"]);
    assert.equal(change.touched[0]?.count, FLOOD);
    assert.ok(cpuMs < FLOOD_CPU_MS_MAX, `${cpuMs} ms`);
  });

  it("of 100,000 fits into the kernel's buffer or is said to be lost, and changes are told afterwards", async (context) => {
    const from = watcher.said.length;
    await watcher.cpu();
    await host.shell("nft -f -", { input: elements(FLOOD, 100_000) });
    await watcher.until(({ change, lost }) => lost === true || change?.touched[0]?.count === 100_000, from);
    const { cpuMs, heapBytes } = await watcher.cpu();
    const lost = watcher.said.slice(from).some((line) => line.lost === true);
    context.diagnostic(
      `100,000 element messages: ${cpuMs.toFixed(0)} ms CPU, ${lost ? "some lost" : "none lost"}`,
    );
    assert.ok(heapBytes < 64 * 1024 * 1024, `${heapBytes} bytes of heap`);
    await host.shell("nft add table ip afterwards");
    await watcher.until((line) => tells(line.change, "new table ip afterwards"), from);
  });

  it("that a watcher held up cannot take is said to be lost, and it goes on", async () => {
    const small = await watchOn(host, { bufferBytes: 40_000 });
    try {
      const stalled = small.ask("stall", 1_000);
      const text = "flush set ip flood s\n";
      await host.shell("nft -f -", { input: text });
      await host.shell("nft -f -", { input: elements(0, FLOOD) });
      await stalled;
      await small.until(({ lost }) => lost === true);
      // What still fitted into its buffer may be told after the loss, as a change of its own.
      const changes = await small.during(() => host.shell("nft add table ip seen"));
      assert.equal(changes.filter((change) => tells(change, "new table ip seen")).length, 1);
    } finally {
      await small.stop();
    }
  });
});

// Programs end within a millisecond of their change; these are held, so that who is behind them can be looked up.
for (const inPidNamespace of [false, true]) {
  const where = inPidNamespace ? "in a pid namespace of its own" : "in the first pid namespace";
  describe(`who is behind a change, for a watcher ${where}`, () => {
    let host: Host;
    let watcher: Watcher;
    before(async () => {
      host = await startHost();
      watcher = await watchOn(host, { inPidNamespace });
    });
    after(async () => {
      await watcher?.stop();
      await host?.stop();
    });

    const held = async (command: readonly string[]): Promise<RulesChange> => {
      const from = watcher.said.length;
      const child = host.start(command);
      child.stdin?.write("add table ip held\n");
      const told = await watcher.until((line) => tells(line.change, "new table ip held"), from);
      child.stdin?.end("delete table ip held\n");
      await watcher.until((line) => tells(line.change, "deleted table ip held"), from);
      assert.ok(told.change !== undefined);
      return told.change;
    };

    it("a program that a script started is told with the script, not with what else its command line holds", async () => {
      const script = "#!/bin/sh\n/usr/sbin/nft -i\n:\n";
      await host.shell("cat >/run/ban-all && chmod 755 /run/ban-all", { input: script });
      const { origin, own } = await held(["/run/ban-all", "--token=secret"]);
      assert.equal(own, false);
      assert.deepEqual([origin?.command, origin?.ancestors[0]], ["nft", "ban-all"]);
      assert.doesNotMatch(JSON.stringify(origin), /secret/);
    });

    it("a command given to a shell is told as the shell", async () => {
      const { origin } = await held(["sh", "-c", "/usr/sbin/nft -i; : secret"]);
      assert.equal(origin?.ancestors[0], "sh");
      assert.doesNotMatch(JSON.stringify(origin), /secret/);
    });

    it("the process id is one that can be looked up from there", async () => {
      const from = watcher.said.length;
      const child = host.start(["nft", "-i"]);
      child.stdin?.write("add table ip looked\n");
      const { change } = await watcher.until((line) => tells(line.change, "new table ip looked"), from);
      const cat = ["cat", `/proc/${change?.pid}/comm`];
      assert.equal((await (inPidNamespace ? host.run(cat) : run(cat))).stdout, "nft\n");
      child.stdin?.end();
    });

    it("a program that has ended is told without origin or with a true one, and with its name", async () => {
      const change = only(await watcher.during(() => host.shell("nft add table ip brief")));
      assert.equal(change.program, "nft");
      assert.ok(change.origin === null || change.origin.command === "nft");
    });

    it("what the watcher itself and its programs do is its own, what others do is not", async () => {
      const byNft = only(
        await watcher.during(() => watcher.ask("load", JSON.stringify("table ip mine {\n}\n"))),
      );
      assert.equal(byNft.own, true);
      const byNetlink = only(await watcher.during(() => watcher.ask("table", "mine2")));
      assert.equal(byNetlink.own, true);
      const others = only(await watcher.during(() => host.shell("nft delete table ip mine")));
      assert.equal(others.own, false);
    });
  });
}

describe("changes by programs that stay", () => {
  let host: Host;
  let watcher: Watcher;
  let other: Watcher;
  before(async () => {
    host = await startHost();
    watcher = await watchOn(host);
    other = await watchOn(host);
  });
  after(async () => {
    await other?.stop();
    await watcher?.stop();
    await host?.stop();
  });

  it("another process of Seawall is told as seawall, and is not the watcher's own", async () => {
    const change = only(await watcher.during(() => other.ask("table", "beside")));
    assert.deepEqual([change.own, change.pid, change.origin?.command], [false, other.pid, "seawall"]);
  });

  it("the systemd unit of a program is told", async () => {
    const root = cgroupMount().directory;
    const name = `seawall-test-${process.pid}`;
    const unit = `${root}/${name}/fail2ban.service`;
    const reaper = startReaper(name);
    try {
      mkdirSync(unit, { recursive: true });
      writeFileSync(`${unit}/cgroup.procs`, String(other.pid));
      const change = only(await watcher.during(() => other.ask("table", "unit")));
      assert.equal(change.origin?.unit, "fail2ban.service");
    } finally {
      writeFileSync(`${root}/cgroup.procs`, String(other.pid));
      await reaper.finish();
    }
    const change = only(await watcher.during(() => other.ask("table", "no-unit")));
    assert.deepEqual([change.origin?.command, change.origin?.unit], ["seawall", null]);
  });

  it("in a storm every change is told, and only some are looked up", async () => {
    const started = performance.now();
    const changes = await watcher.during(() => other.ask("storm", 1_000));
    const seconds = (performance.now() - started) / 1000;
    assert.equal(changes.length, 1_000);
    const lookedUp = changes.filter(({ origin }) => origin !== null).length;
    const most = ORIGINS_PER_SECOND_MAX * (Math.ceil(seconds) + 1);
    assert.ok(lookedUp > 0 && lookedUp <= most, `${lookedUp} in ${seconds.toFixed(1)} s`);
  });
});

function elements(from: number, count: number): string {
  const list = Array.from({ length: count }, (_, at) => {
    const number = from + at;
    return `10.${number >>> 16}.${(number >>> 8) & 255}.${number & 255}`;
  });
  return `add element ip flood s { ${list.join(", ")} }\n`;
}
