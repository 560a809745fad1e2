/**
 * Applies a policy in this process as the command does, step by step, into an empty table each time, and prints the
 * times of each round as JSON. The built program is used, as it is installed: no types are stripped while it is timed.
 */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { deleteTable, nft } from "../command.ts";
import type { AppliedRound } from "./applied-round.ts";

const [root = "", policyPath = "", rounds = "1", part = "apply"] = process.argv.slice(2);
const dist = (path: string): string => pathToFileURL(join(root, "dist", path)).href;
const startedMs = performance.now();
const { checkPolicy } = (await import(
  dist("core/policy/check.js")
)) as typeof import("../../../src/core/policy/check.ts");
const { compileNftables } = (await import(
  dist("core/compile/nftables/compile.js")
)) as typeof import("../../../src/core/compile/nftables/compile.ts");
const { readAccounts } = (await import(
  dist("edge/host/accounts.js")
)) as typeof import("../../../src/edge/host/accounts.ts");
const { readPolicyText, readSetFiles } = (await import(
  dist("edge/host/policy-file.js")
)) as typeof import("../../../src/edge/host/policy-file.ts");
const { applyPolicy } = (await import(
  dist("apply/apply.js")
)) as typeof import("../../../src/apply/apply.ts");
const { renderRuleset } = (await import(
  dist("core/compile/nftables/render.js")
)) as typeof import("../../../src/core/compile/nftables/render.ts");
const importMs = performance.now() - startedMs;

const measured: AppliedRound[] = [];
for (let round = 0; round < Number(rounds); round += 1) {
  if (round > 0) deleteTable();
  measured.push(part === "core" ? core() : await apply());
}
console.log(JSON.stringify(measured));

/** Nothing but the way from text to the kernel, with a policy that has no files. */
function core(): AppliedRound {
  const beganMs = performance.now();
  const readSets = () => ({ sets: new Map<string, never>(), diagnostics: [] });
  const { policy } = checkPolicy(readPolicyText(policyPath), { nowMs: Date.now(), readSets });
  const checkedMs = performance.now();
  if (policy === null) throw new Error("the policy of the benchmark has errors");
  const compiled = compileNftables(policy, { generation: 1, accounts: readAccounts() });
  if (!compiled.ok) throw new Error("the policy of the benchmark cannot be compiled");
  const text = renderRuleset(compiled.ruleset, []);
  const compiledMs = performance.now();
  nft(text);
  const endMs = performance.now();
  return {
    importMs,
    readSetsMs: 0,
    checkMs: checkedMs - beganMs,
    compileMs: compiledMs - checkedMs,
    applyMs: endMs - compiledMs,
    wholeMs: endMs - beganMs,
  };
}

async function apply(): Promise<AppliedRound> {
  const beganMs = performance.now();
  const text = readPolicyText(policyPath);
  let readSetsMs = 0;
  const { policy, document } = checkPolicy(text, {
    nowMs: Date.now(),
    readSets: (one) => {
      const fromMs = performance.now();
      const sets = readSetFiles(one, policyPath);
      readSetsMs = performance.now() - fromMs;
      return sets;
    },
  });
  const checkedMs = performance.now();
  if (policy === null || document === null) throw new Error("the policy of the benchmark has errors");
  compileNftables(policy, { generation: 1, accounts: readAccounts() });
  const compiledMs = performance.now();
  const folder = mkdtempSync(join(process.env["SEAWALL_BENCH_FOLDER"] ?? "", "applied-"));
  const folders = { config: folder, state: folder, run: folder };
  const now = Date.now;
  const options = {
    dropIns: [],
    leaseMs: 60_000,
    acceptLosingSsh: true,
    how: "apply" as const,
    by: "bench",
    nowMs: now,
  };
  const result = await applyPolicy({ policy, document, text, path: policyPath, folders, ...options });
  if (!result.ok) throw new Error("the policy of the benchmark cannot be compiled");
  const appliedMs = performance.now();
  return {
    importMs,
    readSetsMs,
    checkMs: checkedMs - beganMs - readSetsMs,
    compileMs: compiledMs - checkedMs,
    // It compiles once more, so the step before is not part of the whole.
    applyMs: appliedMs - compiledMs,
    wholeMs: checkedMs - beganMs + (appliedMs - compiledMs),
  };
}
