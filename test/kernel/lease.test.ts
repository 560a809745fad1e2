// The lease: what is not confirmed ends by itself, in the kernel, with nothing of Seawall alive.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "node:test";
import type { Outcome } from "../support/host/agent-request.ts";
import { startDaemon } from "../support/host/daemon.ts";
import { eventually } from "../support/host/eventually.ts";
import { HOST4, HOST6, type Host, startHost } from "../support/host/host.ts";
import { type SeawallOnHost, inbound, seawallOn } from "../support/host/seawall.ts";

const WORLD4 = "45.33.32.156";
const WORLD6 = "2600::1";
const OLD = 9000; // the policy in force allows it, the candidate does not
const NEW = 9001; // the candidate allows it, the policy in force does not
const THIRD = 9002; // only a second candidate allows it
const REVERT_WITHIN_MS = 1_000;

describe("a lease", () => {
  let host: Host;
  let seawall: SeawallOnHost;
  before(async () => {
    host = await startHost({ sshd: { ports: [22] } });
    seawall = seawallOn(host);
    for (const port of [OLD, NEW, THIRD]) await host.listen(port);
  });
  after(() => host.stop());

  const reach = (port: number) => host.upstream.connect({ from: WORLD4, to: HOST4, port });
  const reach6 = (port: number) => host.upstream.connect({ from: WORLD6, to: HOST6, port });
  const candidate = () => seawall.policy(inbound("ssh from any", `${NEW} from any`));

  it("that runs out on a first apply leaves the host as it was", async () => {
    assert.equal((await seawall.status()).state, "off");
    await seawall.ok("apply", await candidate(), "--confirm-within", "5s");
    assert.equal(await reach(OLD), "refused");
    const { outcomes, deadline } = await watchUntil(host, seawall, OLD);
    assert.deepEqual(late(outcomes, deadline, "refused"), []);
    assert.equal(await reach6(OLD), "connected");
    assert.equal((await seawall.status()).state, "off");
  });

  it("that runs out puts the previous policy back within a second, and ends what only the candidate admitted", async () => {
    await seawall.enforce(inbound("ssh from any", `${OLD} from any`));
    const admittedBefore = await host.upstream.open({ from: WORLD4, to: HOST4, port: OLD });
    const admittedBefore6 = await host.upstream.open({ from: WORLD6, to: HOST6, port: OLD });
    const previous = await host.seawallTable();

    await seawall.ok("apply", await candidate(), "--confirm-within", "5s");
    await nothingOfSeawallRuns(host);
    assert.equal((await seawall.status()).state, "pending");
    assert.equal(await reach(OLD), "refused");
    const admittedByCandidate = await host.upstream.open({ from: WORLD4, to: HOST4, port: NEW });
    const admittedByCandidate6 = await host.upstream.open({ from: WORLD6, to: HOST6, port: NEW });
    assert.equal(await admittedByCandidate.exchange(), "echoed");
    assert.equal(await admittedByCandidate6.exchange(), "echoed");
    assert.equal(await admittedBefore.exchange(), "echoed", "the candidate cuts no older connection");

    const { outcomes, deadline } = await watchUntil(host, seawall, NEW);

    assert.deepEqual(late(outcomes, deadline, "connected"), [], "still admitted after the deadline");
    assert.deepEqual(early(outcomes, deadline, "refused"), [], "ended before the deadline");
    assert.notEqual(await admittedByCandidate.exchange(), "echoed");
    assert.notEqual(await admittedByCandidate6.exchange(), "echoed");
    assert.equal(await admittedBefore.exchange(), "echoed");
    assert.equal(await admittedBefore6.exchange(), "echoed");
    assert.equal(await reach(OLD), "connected");
    assert.equal(await reach6(OLD), "connected");
    assert.equal(await reach6(NEW), "refused");
    assert.equal((await seawall.status()).state, "enforcing");
    assert.notEqual(previous, "");
  });

  it("that ran out can be followed by another apply and a confirm", async () => {
    await seawall.enforce(inbound("ssh from any", `${NEW} from any`));
    assert.equal(await reach(NEW), "connected");
    assert.equal(await reach(OLD), "refused");
  });

  it("confirmed, cuts the connections that the new policy forbids", async () => {
    const forbidden = await host.upstream.open({ from: WORLD4, to: HOST4, port: NEW });
    assert.equal(await forbidden.exchange(), "echoed");
    await seawall.enforce(inbound("ssh from any", `${OLD} from any`));
    assert.notEqual(await forbidden.exchange(), "echoed");
  });

  it("ends at once by rollback", async () => {
    await seawall.ok("apply", await candidate(), "--confirm-within", "60s");
    assert.equal(await reach(NEW), "connected");
    await seawall.ok("rollback");
    assert.equal(await reach(NEW), "refused");
    assert.equal(await reach(OLD), "connected");
    const { state, confirmBy } = await seawall.status();
    assert.deepEqual({ state, confirmBy }, { state: "enforcing", confirmBy: null });
  });

  it("makes `apply --wait` return 0 when it is confirmed", async () => {
    const waiting = seawall.run("apply", await candidate(), "--confirm-within", "60s", "--wait");
    while ((await seawall.status()).state !== "pending") await sleep(50);
    await seawall.ok("confirm", "--console");
    const result = await waiting;
    assert.equal(result.code, 0, result.stderr);
    assert.equal(await reach(NEW), "connected");
  });

  it("holds off a second apply, ends as it would have, and cannot be confirmed any more", async () => {
    await seawall.enforce(inbound("ssh from any", `${OLD} from any`));
    await seawall.ok("apply", await candidate(), "--confirm-within", "5s");
    const second = await seawall.policy(inbound("ssh from any", `${THIRD} from any`));
    const table = await host.seawallTable();
    const result = await seawall.run("apply", second, "--confirm-within", "60s");
    assert.equal(result.code, 2, result.stdout);
    assert.match(result.stderr, /SEAWALL_BUSY/);
    assert.equal(await host.seawallTable(), table);
    assert.equal(await eventually(() => reach(NEW), "refused"), "refused");
    const tooLate = await seawall.run("confirm", "--console");
    assert.equal(tooLate.code, 6, tooLate.stderr);
    assert.match(tooLate.stderr, /SEAWALL_ROLLED_BACK/);
    assert.equal(await reach(OLD), "connected");
    assert.equal(await reach(THIRD), "refused");
  });

  it("runs out with the daemon running, and makes `apply --wait` return 6", async () => {
    const { child: daemon } = await startDaemon(host);
    try {
      const result = await seawall.run("apply", await candidate(), "--confirm-within", "5s", "--wait");
      assert.equal(result.code, 6, result.stderr);
      assert.equal(await reach(NEW), "refused");
      assert.equal(await reach(OLD), "connected");
      assert.equal((await seawall.status()).state, "enforcing");
    } finally {
      daemon.kill("SIGKILL");
    }
  });

  it("runs out within a second when the daemon is killed by SIGKILL in the middle", async () => {
    const { child: daemon } = await startDaemon(host);
    try {
      await seawall.ok("apply", await candidate(), "--confirm-within", "5s");
    } finally {
      daemon.kill("SIGKILL");
    }
    const { outcomes, deadline } = await watchUntil(host, seawall, NEW);
    assert.deepEqual(late(outcomes, deadline, "connected"), []);
    assert.deepEqual(early(outcomes, deadline, "refused"), []);
    assert.equal(await reach(OLD), "connected");
  });

  it("shorter than 5 seconds is refused, and nothing changes", async () => {
    const earlier = await host.seawallTable();
    const result = await seawall.run("apply", await candidate(), "--confirm-within", "4s");
    assert.equal(result.code, 2, result.stdout);
    assert.equal(await host.seawallTable(), earlier);
  });
});

type Seen = { readonly beganMs: number; readonly endedMs: number; readonly outcome: Outcome };

/** Connects again and again until well after the deadline; says what every attempt met. */
async function watchUntil(
  host: Host,
  seawall: SeawallOnHost,
  port: number,
): Promise<{ readonly outcomes: readonly Seen[]; readonly deadline: number }> {
  const { confirmBy } = await seawall.status();
  const deadline = Date.parse(confirmBy ?? "");
  assert.ok(deadline > Date.now(), `no deadline ahead: ${confirmBy}`);
  const outcomes: Seen[] = [];
  while (Date.now() < deadline + REVERT_WITHIN_MS + 500) {
    const beganMs = Date.now();
    const outcome = await host.upstream.connect({ from: WORLD4, to: HOST4, port });
    outcomes.push({ beganMs, endedMs: Date.now(), outcome });
    await sleep(20);
  }
  assert.ok(
    outcomes.some(({ beganMs }) => beganMs > deadline + REVERT_WITHIN_MS),
    "no attempt after the deadline",
  );
  return { outcomes, deadline };
}

/** Attempts that began over a second after the deadline and met `unwanted`: a slow machine cannot cause one. */
function late(outcomes: readonly Seen[], deadline: number, unwanted: Outcome): readonly Seen[] {
  return outcomes.filter(
    ({ beganMs, outcome }) => beganMs > deadline + REVERT_WITHIN_MS && outcome === unwanted,
  );
}

/** Attempts that ended over a second before the deadline and met `unwanted`. */
function early(outcomes: readonly Seen[], deadline: number, unwanted: Outcome): readonly Seen[] {
  return outcomes.filter(
    ({ endedMs, outcome }) => endedMs < deadline - REVERT_WITHIN_MS && outcome === unwanted,
  );
}

/** Kills whatever Seawall left running on the host, and shows that nothing is left. */
async function nothingOfSeawallRuns(host: Host): Promise<void> {
  const running = async () =>
    (await host.run(["pgrep", "-f", "cli/main.ts|src/daemon/|seawalld|^nft "])).stdout
      .split("\n")
      .filter(Boolean);
  for (const pid of await running()) await host.run(["kill", "-9", pid]);
  assert.deepEqual(await running(), []);
}
