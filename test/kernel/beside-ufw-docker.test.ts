// Seawall beside a real ufw and a real dockerd: it takes reach away from the world and leaves their rules alone.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { Hammered, Target } from "../support/host/agent-request.ts";
import { eventually } from "../support/host/eventually.ts";
import { HOST4, HOST6, type Host, startHost } from "../support/host/host.ts";
import { type SeawallOnHost, inbound, seawallOn } from "../support/host/seawall.ts";
import { firstDifference } from "../support/host/tables.ts";

const WORLD4 = "45.33.32.156";
const WORLD6 = "2600::1";
const OFFICE = "198.51.100.7";
const GATEWAY = 18789; // ufw denies it
const SERVICE = 9000; // ufw denies it, Seawall allows it
const WEB = 8080; // published by Docker, past ufw

const CLOSED: readonly Target[] = [
  { from: WORLD4, to: HOST4, port: GATEWAY },
  { from: WORLD6, to: HOST6, port: GATEWAY },
  { from: WORLD4, to: HOST4, port: WEB },
  { from: WORLD6, to: HOST6, port: WEB },
];

describe("beside real ufw and real dockerd", () => {
  let host: Host;
  let seawall: SeawallOnHost;
  let untouched: string;
  before(async () => {
    host = await startHost({
      ufw: ["allow 22/tcp", "deny 8080/tcp"],
      docker: { containers: [{ name: "web", publish: [{ hostPort: WEB, port: 80 }] }], ipv6: true },
    });
    seawall = seawallOn(host);
    for (const port of [22, GATEWAY, SERVICE]) await host.listen(port);
    untouched = await host.othersTables();
  });
  after(() => host.stop());

  const reach = (port: number, from = WORLD4, to = HOST4) => host.upstream.connect({ from, to, port });

  it("without Seawall the published port is open to the world, whatever ufw says", async () => {
    assert.equal(await eventually(() => reach(WEB), "connected"), "connected");
    assert.equal(await eventually(() => reach(WEB, WORLD6, HOST6), "connected"), "connected");
    // dockerd lets a neighbour on the wire through to what it published, past the published address.
    const container = await host.docker.address("web");
    assert.equal(await host.upstream.connect({ from: "203.0.113.1", to: container, port: 80 }), "connected");
    assert.match(untouched, /-A ufw-user-input -p tcp -m tcp --dport 8080 -j DROP/);
    assert.match(untouched, /-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT/);
  });

  it("apply closes the published port on both families and changes no other rule by a byte", async () => {
    await seawall.ok(
      "apply",
      await seawall.policy(inbound("ssh from any", `${SERVICE} from any`, `${WEB} from ${OFFICE}`)),
    );
    assert.equal(await reach(WEB), "refused");
    assert.equal(await reach(WEB, WORLD6, HOST6), "refused");
    assert.equal(firstDifference(untouched, await host.othersTables()), "");
  });

  it("confirm changes no other rule by a byte", async () => {
    await seawall.ok("confirm", "--console");
    assert.equal((await seawall.status()).state, "enforcing");
    assert.equal(firstDifference(untouched, await host.othersTables()), "");
  });

  it("an address that the policy names reaches the published port", async () => {
    assert.equal(await reach(WEB, OFFICE), "connected");
  });

  it("what ufw allows and Seawall allows is open", async () => {
    assert.equal(await reach(22), "connected");
    assert.equal(await reach(22, WORLD6, HOST6), "connected");
  });

  it("what ufw denies stays closed although Seawall allows it", async () => {
    assert.equal(await reach(SERVICE), "timeout");
    assert.equal(await reach(SERVICE, WORLD6, HOST6), "timeout");
  });

  it("a container still reaches the outside", async () => {
    const test = `nsenter -t "$(pgrep -f 'busybox httpd' | head -1)" -n nc -z -w 2 203.0.113.1 7777`;
    await host.upstream.own("203.0.113.1");
    const listener = host.upstream.start(["nc", "-lk", "203.0.113.1", "7777"]);
    try {
      const attempt = async () => (await host.run(["sh", "-c", test])).code;
      assert.equal(await eventually(attempt, 0), 0);
    } finally {
      listener.kill("SIGKILL");
    }
  });

  it("ufw reload opens no port and changes nothing of ours", async () => {
    const ours = await fingerprint(host);
    const counts = await hammeredWhile(host, () => host.ufw.reload());
    assert.deepEqual(contacts(counts), [0, 0, 0, 0], JSON.stringify(counts));
    assert.equal(await fingerprint(host), ours);
  });

  it("ufw switched off opens neither the gateway nor the published port", async () => {
    const counts = await hammeredWhile(host, () => host.ufw.run("disable"));
    assert.deepEqual(contacts(counts), [0, 0, 0, 0], JSON.stringify(counts));
    assert.equal(await reach(SERVICE), "connected", "ufw is off: only Seawall judges");
    await host.ufw.run("--force", "enable");
    assert.equal(await reach(SERVICE), "timeout");
  });

  it("a restart of dockerd opens no port and changes nothing of ours", async () => {
    const ours = await fingerprint(host);
    const counts = await hammeredWhile(host, async () => {
      await host.docker.restartDaemon();
      assert.equal(await eventually(() => reach(WEB, OFFICE), "connected"), "connected");
    });
    assert.deepEqual(contacts(counts), [0, 0, 0, 0], JSON.stringify(counts));
    assert.equal(await fingerprint(host), ours);
  });

  it("a container published after apply is closed from its first packet", async () => {
    const late: readonly Target[] = [
      { from: WORLD4, to: HOST4, port: 8083 },
      { from: WORLD6, to: HOST6, port: 8083 },
    ];
    const hammer = await host.upstream.hammer(late);
    await host.docker.startContainer({ name: "late", publish: [{ hostPort: 8083, port: 80 }] });
    const counts = await hammer.stop();
    assert.deepEqual(contacts(counts), [0, 0], JSON.stringify(counts));
    assert.equal((await host.run(["nc", "-z", "-w", "2", "127.0.0.1", "8083"])).code, 0, "it runs");
  });

  it("a neighbour on the wire does not reach a container by its own address", async () => {
    const to = await host.docker.address("web");
    assert.equal(await host.upstream.connect({ from: WORLD4, to, port: 80 }), "refused");
    assert.equal(await host.upstream.connect({ from: "203.0.113.1", to, port: 80 }), "refused");
  });

  it("down leaves their rules as they are, and takes ours away", async () => {
    const earlier = await host.othersTables();
    await seawall.ok("down");
    assert.equal(await host.seawallTable(), "");
    assert.equal(firstDifference(earlier, await host.othersTables()), "");
    assert.equal((await seawall.status()).state, "off");
    assert.equal(await eventually(() => reach(WEB), "connected"), "connected");
  });
});

async function fingerprint(host: Host): Promise<string> {
  const table = await host.seawallTable();
  assert.notEqual(table, "", "table inet seawall is gone");
  return createHash("sha256").update(table).digest("hex");
}

async function hammeredWhile(
  host: Host,
  work: () => Promise<unknown>,
): Promise<Readonly<Record<string, Hammered>>> {
  const hammer = await host.upstream.hammer(CLOSED);
  await work();
  const counts = await hammer.stop();
  for (const [target, count] of Object.entries(counts))
    assert.ok(count.attempts > 50, `${target}: too few attempts`);
  return counts;
}

function contacts(counts: Readonly<Record<string, Hammered>>): readonly number[] {
  return Object.values(counts).map((count) => count.connected);
}
