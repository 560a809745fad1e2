/**
 * The long form of test/differential: `node script/soak/differential.ts [POLICIES] [FIRST_SEED]` runs that
 * many random policies through the kernel and plants every mutation; prints the figures and fails on a surprise.
 */
import { pathToFileURL } from "node:url";
import { describeReport, problemsOf, runsInNamespace } from "../../test/differential/differential.ts";
import { MUTATION_NAMES } from "../../test/differential/mutation.ts";

export interface SoakOptions {
  readonly policies: number;
  readonly firstSeed: number;
  readonly say: (line: string) => void;
}

export const SOAK_POLICIES = 200;
const PACKETS_PER_POLICY = 10_000;
const MUTATED_POLICIES = 25;
const MUTATED_PACKETS = 4_000;

/** Returns whether everything held. Each policy can be replayed by its seed with the same script. */
export async function soakDifferential({ policies, firstSeed, say }: SoakOptions): Promise<boolean> {
  const [sound] = await runsInNamespace([{ firstSeed, policies, packetsPerPolicy: PACKETS_PER_POLICY }]);
  if (sound === undefined) throw new Error("the run reported nothing");
  say(`differential: seeds ${firstSeed} to ${firstSeed + policies - 1}: ${describeReport(sound)}`);
  const problems = problemsOf(sound);
  if (problems !== "") say(problems);
  const shared = {
    firstSeed,
    policies: Math.min(policies, MUTATED_POLICIES),
    packetsPerPolicy: MUTATED_PACKETS,
  };
  const mutated = await runsInNamespace(MUTATION_NAMES.map((mutation) => ({ ...shared, mutation })));
  let held = problems === "";
  for (const [at, report] of mutated.entries()) {
    const caught = report.caught > 0 && report.loadFailures === 0;
    held &&= caught;
    const figures = `${report.caught} of ${report.mutated} policies, ${report.mismatches} packets`;
    say(`mutation: ${MUTATION_NAMES[at]}: ${caught ? "caught" : "NOT CAUGHT"} (${figures})`);
  }
  return held;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [policies = SOAK_POLICIES, firstSeed = 1] = process.argv.slice(2).map(Number);
  const held = await soakDifferential({
    policies,
    firstSeed,
    say: (line) => process.stdout.write(`${line}\n`),
  });
  process.exitCode = held ? 0 : 1;
}
