/**
 * The readers of hostile bytes under random ones for long: `node script/soak/fuzz.ts [MINUTES]`, ten for each of DNS,
 * ClientHello and HTTP head unless told otherwise. Every round has a new seed; a failure prints it.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { performance } from "node:perf_hooks";

const FOLDER = join(import.meta.dirname, "..", "..", "test", "fuzz");
const READERS = ["dns", "client-hello", "http-head", "gate-message"] as const;
const MINUTES_DEFAULT = 10;
/** One round takes seconds, so that a failure is not far from the end. */
const RUNS_PER_ROUND = 20_000;
const ROUND_LIMIT_MS = 10 * 60_000;

const minutes = Number(process.argv[2] ?? MINUTES_DEFAULT);
const broken = READERS.filter((reader) => !holds(reader));
process.exitCode = broken.length > 0 ? 1 : 0;

function holds(reader: string): boolean {
  const untilMs = performance.now() + minutes * 60_000;
  let rounds = 0;
  while (performance.now() < untilMs) {
    const { status, stdout } = spawnSync(process.execPath, ["--test", join(FOLDER, `${reader}.test.ts`)], {
      env: { ...process.env, SEAWALL_FUZZ_RUNS: String(RUNS_PER_ROUND) },
      encoding: "utf8",
      timeout: ROUND_LIMIT_MS,
    });
    if (status !== 0) {
      console.log(`${reader}: BROKEN in round ${rounds + 1}\n${stdout.slice(-4_000)}`);
      return false;
    }
    rounds += 1;
  }
  console.log(
    `${reader}: ${minutes} minutes, ${rounds} rounds of ${RUNS_PER_ROUND} runs a property, 0 failures`,
  );
  return true;
}
