// kill -9 of `seawall apply` while it loads 100,000 prefixes: the old policy or the new one, never a part of one.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, afterEach, before, describe, it } from "node:test";
import { finished } from "../support/host/command.ts";
import { eventually } from "../support/host/eventually.ts";
import { HOST4, type Host, startHost } from "../support/host/host.ts";
import { SEAWALL, type SeawallOnHost, inbound, seawallOn } from "../support/host/seawall.ts";

const PREFIXES = 100_000;
const KILLS = 8;
const APPLY_DEADLINE_MS = 60_000;
const WORLD = "45.33.32.156";
const OLD = 9000;
const NEW = 9001;

describe("kill -9 of apply", () => {
  let host: Host;
  let seawall: SeawallOnHost;
  let large: string;
  let wholeMs: number;
  before(async () => {
    host = await startHost();
    seawall = seawallOn(host);
    for (const port of [22, OLD, NEW]) await host.listen(port);
    await host.shell("cat >/run/bad.txt", { input: badPrefixes() });
    const deny = `  - deny: any\n    from: bad\n    why: a hundred thousand of them\nsets:\n  bad: {file: bad.txt}\n`;
    large = await seawall.policy(`${inbound("ssh from any", `${NEW} from any`)}${deny}`);
    await seawall.enforce(inbound("ssh from any", `${OLD} from any`));
    const began = Date.now();
    await seawall.ok("apply", large, "--confirm-within", "300s");
    wholeMs = Date.now() - began;
  });
  after(() => host.stop());
  afterEach(() => seawall.withdraw());

  const reach = (port: number, from = WORLD) => host.upstream.connect({ from, to: HOST4, port });
  const inForce = async () => {
    const [old, fresh, listed] = [await reach(OLD), await reach(NEW), await reach(NEW, lastBad())];
    return `old ${old}, new ${fresh}, listed ${listed}`;
  };
  const OLD_POLICY = "old connected, new refused, listed refused";
  const NEW_POLICY = "old refused, new connected, listed refused";

  it("not killed, the candidate is in force, and rolled back the old policy is", async () => {
    assert.equal(await inForce(), NEW_POLICY);
    assert.equal((await seawall.status()).state, "pending");
    await seawall.ok("rollback");
    assert.equal(await inForce(), OLD_POLICY);
  });

  it("with half of the list in the kernel leaves the old policy, and the next apply loads the list whole", async () => {
    const watch = await watchSets(host);
    const apply = startApply(host, large);
    await Promise.race([watch.seen, apply.ended]);
    watch.stop();
    await killApply(host, apply, "kill");
    await seawall.withdraw(); // A kernel that took it all at once may have the candidate already.
    assert.equal(await inForce(), OLD_POLICY);
    await seawall.ok("apply", large, "--confirm-within", "300s");
    assert.equal(await inForce(), NEW_POLICY);
    await seawall.ok("rollback");
  });

  for (let kill = 0; kill < KILLS; kill += 1) {
    it(`at moment ${kill + 1} of ${KILLS} leaves one whole policy in force, and the next apply works`, async () => {
      // Spread over the whole run; what happens to fall on a moment differs from run to run.
      const apply = startApply(host, large);
      await sleep((wholeMs * (kill + 0.5)) / KILLS);
      await killApply(host, apply, kill % 2 === 0 ? "kill" : "wait");

      const found = await inForce();
      assert.ok(found === OLD_POLICY || found === NEW_POLICY, found);
      const { state, confirmBy } = await seawall.status();
      assert.equal(
        state,
        found === OLD_POLICY ? "enforcing" : "pending",
        `status says ${state} when ${found}`,
      );
      if (state === "pending") assert.notEqual(confirmBy, null, "the deadline is known");
    });
  }

  it("many times over, the same policy still loads whole", async () => {
    await seawall.ok("apply", large, "--confirm-within", "300s");
    assert.equal(await inForce(), NEW_POLICY);
    await seawall.ok("confirm", "--console");
    assert.equal(await inForce(), NEW_POLICY);
    const table = await host.run(["nft", "list", "table", "inet", "seawall"], {
      deadlineMs: APPLY_DEADLINE_MS,
    });
    const prefixes = table.stdout.match(/\b11\.\d+\.\d+\.\d+/g)?.length ?? 0;
    assert.ok(prefixes >= PREFIXES, `${prefixes} of ${PREFIXES} prefixes are in the kernel`);
  });
});

/** Watches our sets; `seen` resolves when the kernel reports the first change: the list is then on its way. */
async function watchSets(host: Host): Promise<{ readonly seen: Promise<void>; readonly stop: () => void }> {
  const monitor = host.start(["nft", "monitor", "sets"]);
  const seen = new Promise<void>((resolve) => monitor.stdout?.once("data", () => resolve()));
  assert.equal(await eventually(async () => (await pids(host, ["-x", "nft"])).length, 1), 1);
  return { seen, stop: () => void monitor.kill("SIGKILL") };
}

type Apply = { readonly child: ReturnType<Host["start"]>; readonly ended: Promise<unknown> };

function startApply(host: Host, policy: string): Apply {
  const child = host.start([...SEAWALL, "apply", policy, "--confirm-within", "300s"]);
  return { child, ended: finished(child, APPLY_DEADLINE_MS) };
}

/** SIGKILL for apply, and for the `nft` it started or not: then that ends by itself. */
async function killApply(host: Host, apply: Apply, nft: "kill" | "wait"): Promise<void> {
  // By its number on the host, so that the process that started it takes note of its end at once.
  await killAll(host, ["-f", "main.ts apply"]);
  if (nft === "kill") await killAll(host, ["-x", "nft"]);
  await apply.ended;
  const running = async () => (await pids(host, ["-x", "nft"])).join();
  assert.equal(await eventually(running, "", APPLY_DEADLINE_MS), "", "nft does not end");
}

async function killAll(host: Host, which: readonly string[]): Promise<void> {
  for (const pid of await pids(host, which)) await host.run(["kill", "-9", pid]);
}

async function pids(host: Host, which: readonly string[]): Promise<readonly string[]> {
  return (await host.run(["pgrep", ...which])).stdout.split("\n").filter(Boolean);
}

/** Addresses of 11.0.0.0/8 that do not touch, so that no two can be merged. */
function badPrefixes(): string {
  const lines: string[] = [];
  for (let number = 0; number < PREFIXES; number += 1) lines.push(`${addressOf(number)}/32`);
  return `${lines.join("\n")}\n`;
}

function addressOf(number: number): string {
  const value = number * 2 + 1;
  return `11.${(value >> 16) & 255}.${(value >> 8) & 255}.${value & 255}`;
}

function lastBad(): string {
  return addressOf(PREFIXES - 1);
}
