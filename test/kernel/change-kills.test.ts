// kill -9 at random points of every change that Seawall makes: nobody is locked out, nothing that is denied gets in,
// and what is in force is one whole policy. SEAWALL_CHANGE_ROUNDS says how often (default 20).
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Hammered } from "../support/host/agent-request.ts";
import { finished } from "../support/host/command.ts";
import { startDaemon } from "../support/host/daemon.ts";
import { eventually } from "../support/host/eventually.ts";
import { HOST4, type Host, startHost } from "../support/host/host.ts";
import { inbound, SEAWALL, type SeawallOnHost, seawallOn } from "../support/host/seawall.ts";

const ROUNDS = Number(process.env["SEAWALL_CHANGE_ROUNDS"] ?? 20);
const SEED = Number(process.env["SEAWALL_CHANGE_SEED"] ?? Date.now() % 1_000_000);
const OWNER4 = "45.33.32.156";
const EVEN = 9_000;
const ODD = 9_001;
/** No policy of this test allows it. */
const CLOSED = 9_002;
const CHANGE_DEADLINE_MS = 60_000;
/** A change takes about this long on a quiet machine; kills fall anywhere in it and a little after. */
const CHANGE_MS = 900;
const CHANGES = ["apply", "confirm", "rollback", "heal", "panic", "panic --off", "pause"] as const;

interface Round {
  readonly change: (typeof CHANGES)[number];
  readonly ended: boolean;
  readonly ssh: string;
  readonly closed: string;
  readonly state: string;
  readonly after: string;
}

describe(`over ${ROUNDS} kills (seed ${SEED})`, () => {
  let host: Host;
  let seawall: SeawallOnHost;
  const rounds: Round[] = [];
  const random = randomFrom(SEED);
  before(async () => {
    host = await startHost();
    seawall = seawallOn(host);
    for (const port of [22, EVEN, ODD, CLOSED]) await host.listen(port);
    await seawall.enforce(inbound("ssh from any", `${EVEN} from any`));
    for (let round = 0; round < ROUNDS; round += 1) rounds.push(await killOnce(round));
  });
  after(() => host.stop());

  const candidate = (round: number) =>
    seawall.policy(inbound("ssh from any", `${round % 2 === 0 ? ODD : EVEN} from any`));
  const reach = (port: number) => host.upstream.connect({ from: OWNER4, to: HOST4, port });

  const killOnce = async (round: number): Promise<Round> => {
    const change = CHANGES[round % CHANGES.length] ?? "apply";
    await prepare(change, round);
    const hammer = await host.upstream.hammer([
      { from: OWNER4, to: HOST4, port: 22 },
      { from: OWNER4, to: HOST4, port: CLOSED },
    ]);
    const ended = await killDuring(change, round);
    const state = (await seawall.status()).state;
    const seen = await hammer.stop();
    const outcomes = (port: number) =>
      outcomesOf(Object.entries(seen).find(([to]) => to.endsWith(`${port}`))?.[1]);
    const found = { ssh: outcomes(22), closed: outcomes(CLOSED) };
    return { change, ended, ...found, state, after: await goOn(round) };
  };

  /** What a change needs before it. */
  const prepare = async (change: Round["change"], round: number) => {
    if (change === "confirm" || change === "rollback") await seawall.ok("apply", await candidate(round));
    if (change === "panic --off") await seawall.ok("panic");
  };

  /** Returns whether it had ended before the kill. */
  const killDuring = async (change: Round["change"], round: number): Promise<boolean> => {
    const words = {
      apply: ["apply", await candidate(round)],
      confirm: ["confirm", "--console"],
      rollback: ["rollback"],
      heal: ["daemon"],
      panic: ["panic"],
      "panic --off": ["panic", "--off"],
      pause: ["pause", "--for", "10m"],
    }[change];
    const child = host.start([...SEAWALL, ...words]);
    const end = finished(child, CHANGE_DEADLINE_MS);
    if (change === "heal") await damage(child);
    await sleep(random() * (change === "heal" ? 150 : CHANGE_MS));
    const ended = child.exitCode !== null;
    // With the nft that it started, or without: then that ends by itself.
    const victims = random() < 0.5 ? "[m]ain.ts|^nft" : "[m]ain.ts";
    await host.run(["pkill", "-KILL", "-f", victims]);
    await end;
    const nft = async () => (await host.run(["pgrep", "-x", "nft"])).stdout;
    assert.equal(await eventually(nft, "", CHANGE_DEADLINE_MS), "", "nft does not end");
    return ended;
  };

  /** The daemon is killed while it puts this right. */
  const damage = async (daemon: ReturnType<Host["start"]>) => {
    let said = "";
    daemon.stderr?.setEncoding("utf8").on("data", (text: string) => (said += text));
    await eventually(() => Promise.resolve(said.includes("reading the kernel's log")), true);
    await sleep(300);
    await host.shell(random() < 0.5 ? "nft flush ruleset" : "nft insert rule inet seawall prerouting accept");
  };

  /** The owner goes on: a daemon heals what is drifted, then the next policy is applied and confirmed. */
  const goOn = async (round: number): Promise<string> => {
    const state = async () => (await seawall.status()).state;
    if ((await state()) === "drifted" || (await state()) === "off") {
      const daemon = await startDaemon(host);
      await eventually(state, "enforcing", 20_000);
      await daemon.kill();
    }
    await seawall.run("rollback");
    await seawall.withdraw();
    await seawall.run("panic", "--off");
    await seawall.enforce(inbound("ssh from any", `${round % 2 === 0 ? ODD : EVEN} from any`));
    const [even, odd, closed] = [await reach(EVEN), await reach(ODD), await reach(CLOSED)];
    const wanted = round % 2 === 0 ? "refused connected refused" : "connected refused refused";
    const got = `${even} ${odd} ${closed}`;
    return got === wanted ? await state() : got;
  };

  it("SSH is reached at every moment", () =>
    assert.deepEqual(
      rounds.filter(({ ssh }) => ssh !== "connected"),
      [],
    ));

  it("what no policy allows is refused at every moment, while nobody takes our rules away", () =>
    assert.deepEqual(
      rounds.filter(({ change, closed }) => change !== "heal" && closed !== "refused"),
      [],
    ));

  it("status never says that somebody else changed what we did ourselves", () =>
    assert.deepEqual(
      rounds.filter(
        ({ change, state }) => change !== "heal" && !["enforcing", "pending", "panic"].includes(state),
      ),
      [],
    ));

  it("the next change works, and one whole policy is in force", () =>
    assert.deepEqual(
      rounds.filter((round) => round.after !== "enforcing"),
      [],
    ));

  it("the kills fell into the changes, not after them", () => {
    const within = rounds.filter(({ ended }) => !ended).length;
    console.log(`      ${within} of ${ROUNDS} kills fell into a change`);
    assert.ok(within >= ROUNDS / 4, `${within} of ${ROUNDS}`);
  });
});

/** Which outcomes there were: `connected`, or `connected,refused`. */
function outcomesOf(seen: Hammered | undefined): string {
  assert.ok(seen !== undefined && seen.attempts > 0, "nothing was tried");
  return (["connected", "refused", "other"] as const).filter((one) => seen[one] > 0).join();
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}
