/** 200 rules from policy text to enforced, beside ufw adding the same rules one by one. */
import { applyProcessMs, applySteps, type StepsWanted } from "../applied.ts";
import { requireProgram, run } from "../command.ts";
import type { BenchContext } from "../context.ts";
import { deniedSource, writePolicy } from "../policy.ts";
import { type BenchResult, type Comparison, figuresOf, judge } from "../result.ts";
import { interleave, ratios, valuesOf } from "../sample.ts";

const RULES = 200;
/** ufw takes as long for each rule, so that some of them are measured and the time is scaled. */
const UFW_RULES = 20;
const UFW_RULES_QUICK = 5;
/** Applies in one process, until the engine has compiled what it will. */
const WARM_ROUNDS = 8;
const GOAL = { bound: "at least", ratio: 500 } as const;

const WHOLE = "seawall apply FILE, the whole process";
const FIRST = "first apply of a running process";
const CORE_FIRST = "only parse, resolve, compile and nft -f: first time in a process";
const CORE_WARM = `only parse, resolve, compile and nft -f: time number ${WARM_ROUNDS}`;

/** Returns the times of one policy of 200 rules and the ratio to ufw. */
export async function measure(context: BenchContext): Promise<BenchResult> {
  requireProgram("nft", "nftables");
  requireProgram("ufw");
  const policy = writePolicy(context.folder, "200.yaml", { rules: RULES });
  const last = deniedSource(RULES - 3).network;
  const ufwRules = context.quick ? UFW_RULES_QUICK : UFW_RULES;
  const ufw = `ufw, ${ufwRules} rules one by one, times ${RULES / ufwRules}`;
  const inProcess = (part: StepsWanted["part"], rounds: number): number =>
    applySteps(context, { policy, mark: last, rounds, part }).at(-1)?.wholeMs ?? Number.NaN;
  run(["ufw", "--force", "enable"]);
  const samples = await interleave(
    [
      { name: WHOLE, once: () => applyProcessMs(context, policy, last) },
      { name: FIRST, once: () => inProcess("apply", 1) },
      { name: CORE_FIRST, once: () => inProcess("core", 1) },
      { name: CORE_WARM, once: () => inProcess("core", WARM_ROUNDS) },
      { name: ufw, once: () => ufwMs(ufwRules) * (RULES / ufwRules) },
    ],
    context.quick ? 2 : 7,
  );
  const against = (name: string): Comparison =>
    judge(`ufw / ${name}`, ratios(valuesOf(samples, ufw), valuesOf(samples, name)), GOAL);
  const whole = context.full
    ? [`ufw with all ${RULES} rules, once: ${(ufwMs(RULES) / 1_000).toFixed(1)} s.`]
    : [];
  return {
    name: "apply",
    title: `${RULES} rules from policy text to enforced`,
    figures: figuresOf(samples, "ms"),
    comparisons: [WHOLE, FIRST, CORE_FIRST, CORE_WARM].map(against),
    notes: [
      "An apply includes checks of the machine, the lockout test, history and lease; a running process has loaded its modules already.",
      ...whole,
    ],
  };
}

/** Adds rules to an empty ufw and returns how long that took. */
function ufwMs(count: number): number {
  run(["ufw", "--force", "reset"]);
  run(["ufw", "--force", "enable"]);
  const startMs = performance.now();
  for (let at = 0; at < count; at += 1) {
    const { network, port } = deniedSource(at);
    run(["ufw", "deny", "from", network, "to", "any", "port", String(port), "proto", "tcp"]);
  }
  return performance.now() - startMs;
}
