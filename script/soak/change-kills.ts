/**
 * kill -9 at random points of apply, confirm, rollback, heal, panic and pause: `node script/soak/change-kills.ts
 * [ROUNDS]`, 200 unless told otherwise. The same test as in `npm test`, which does 20.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const ROUNDS_DEFAULT = 200;
const LIMIT_MS = 60 * 60_000;

const test = join(import.meta.dirname, "..", "..", "test", "kernel", "change-kills.test.ts");
const { status } = spawnSync(process.execPath, ["--test", test], {
  env: { ...process.env, SEAWALL_CHANGE_ROUNDS: process.argv[2] ?? String(ROUNDS_DEFAULT) },
  stdio: "inherit",
  timeout: LIMIT_MS,
});
process.exitCode = status ?? 1;
