/**
 * The parsers under random input for long: `node script/soak/fuzz.ts [MINUTES] [PARSER ...]`, ten minutes for each of
 * all of them unless told otherwise. Every round has a new seed; a failure prints it.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { performance } from "node:perf_hooks";

const FOLDER = join(import.meta.dirname, "..", "..", "test", "fuzz");
const MINUTES_DEFAULT = 10;
/** One round takes seconds, so that a failure is not far from the end. A policy may have a megabyte. */
const RUNS_PER_ROUND = {
  dns: 20_000,
  "client-hello": 20_000,
  "http-head": 20_000,
  "gate-message": 20_000,
  "netlink-conntrack": 20_000,
  "netlink-nflog": 20_000,
  "netlink-rules": 20_000,
  "policy-parse": 400,
  "policy-edit": 1_000,
} as const;
type Parser = keyof typeof RUNS_PER_ROUND;
const ROUND_LIMIT_MS = 10 * 60_000;

const minutes = Number(process.argv[2] ?? MINUTES_DEFAULT);
const all = Object.keys(RUNS_PER_ROUND) as Parser[];
const named = process.argv.slice(3);
const unknown = named.filter((name) => !all.some((parser) => parser === name));
if (unknown.length > 0) console.log(`there is no parser ${unknown.join(", ")}; there are ${all.join(", ")}`);
const chosen = all.filter((parser) => named.length === 0 || named.includes(parser));
const broken = unknown.length > 0 ? chosen : chosen.filter((parser) => !holds(parser));
process.exitCode = broken.length > 0 ? 1 : 0;

function holds(parser: Parser): boolean {
  const untilMs = performance.now() + minutes * 60_000;
  let rounds = 0;
  while (performance.now() < untilMs) {
    const { status, stdout } = spawnSync(process.execPath, ["--test", join(FOLDER, `${parser}.test.ts`)], {
      env: { ...process.env, SEAWALL_FUZZ_RUNS: String(RUNS_PER_ROUND[parser]) },
      encoding: "utf8",
      timeout: ROUND_LIMIT_MS,
    });
    if (status !== 0) {
      console.log(`${parser}: BROKEN in round ${rounds + 1}\n${stdout.slice(-4_000)}`);
      return false;
    }
    rounds += 1;
  }
  console.log(
    `${parser}: ${minutes} minutes, ${rounds} rounds of ${RUNS_PER_ROUND[parser]} runs a property, 0 failures`,
  );
  return true;
}
