/** What the kernel is given when the machine starts: files that `nft -f` loads, with nothing of ours alive. */
import { mkdirSync, rmSync } from "node:fs";
import { SeawallError } from "../core/base/error.ts";
import { compileNftables, type CompileOptions } from "../core/compile/nftables/compile.ts";
import { renderRuleset } from "../core/compile/nftables/render.ts";
import { PARENT_SLICE, selectorOfCgroup, selectorOfUnit } from "../core/containment/slice.ts";
import { panicPolicy } from "../core/policy/panic.ts";
import type { ResolvedPolicy } from "../core/policy/resolved.ts";
import { hasTemporary, withoutTemporary } from "../core/policy/temporary.ts";
import { bootFiles, readBoot } from "../edge/state/boot-file.ts";
import type { HistoryEntry } from "../edge/state/history-entry.ts";
import { BOOT, FALLBACK, type KeptRuleset, readKeptText } from "../edge/state/kept-ruleset.ts";
import { replaceFile } from "../edge/state/replace-file.ts";
import { FALLBACK_SEAL, parseSeal, sealOf } from "./seal.ts";
import { panicWays } from "./ssh-way.ts";

/**
 * Returns what an entry is kept as. The boot file holds no allow that ends by the clock, because a machine that
 * starts may not know the time; its seal says so. Refuses nothing: what was compiled once is compiled again.
 */
export function keptRuleset(
  policy: ResolvedPolicy,
  entry: HistoryEntry,
  ruleset: KeptRuleset["ruleset"],
  options: CompileOptions,
): KeptRuleset {
  const lasting = hasTemporary(policy) ? compileKept(withoutTemporary(policy), options) : null;
  const fallback = compileKept(fallbackPolicy(policy), options);
  return {
    ruleset,
    boot: bootText(policy, lasting ?? ruleset, sealOf({ ...entry, held: lasting !== null }), options),
    fallback: renderRuleset(fallback, ["Seawall: the agents reach nothing, SSH comes in"], FALLBACK_SEAL),
  };
}

/** SECURITY: a cgroup that is not there rejects a whole ruleset, so the last resort names none. */
function fallbackPolicy(policy: ResolvedPolicy): ResolvedPolicy {
  const panic = panicPolicy(policy, panicWays().ways);
  // What is only watched is not stopped by a start that failed either.
  return { ...panic, mode: policy.mode, scopes: panic.scopes.filter(({ target }) => !hasCgroup(target)) };
}

/** The cgroups that rules name, in the order in which they have to be made, stand in front of the rules. */
function bootText(
  policy: ResolvedPolicy,
  ruleset: KeptRuleset["ruleset"],
  seal: string,
  { cgroupPrefix = "" }: CompileOptions,
): string {
  const cgroups = (policy.outbound === null ? [] : policy.scopes).flatMap(({ name, target }) => {
    if (target.kind === "unit") return [PARENT_SLICE, selectorOfUnit(name).path];
    return target.kind === "cgroup" ? [selectorOfCgroup(target.path)?.path ?? []].flat() : [];
  });
  const notes = [...new Set(cgroups)].map((path) => `cgroup ${cgroupPrefix}${path}`);
  return renderRuleset(ruleset, ["Seawall: the rules in force, for the next start", ...notes], seal);
}

function hasCgroup({ kind }: ResolvedPolicy["scopes"][number]["target"]): boolean {
  return kind === "unit" || kind === "cgroup";
}

/** Returns the ruleset of a policy that was compiled for this machine before. */
export function compileKept(policy: ResolvedPolicy, options: CompileOptions): KeptRuleset["ruleset"] {
  const compiled = compileNftables(policy, options);
  if (compiled.ok) return compiled.ruleset;
  throw new SeawallError("SEAWALL_POLICY", "the rules for the next start cannot be made", {
    still: "nothing was changed",
    help: "seawall policy check",
  });
}

/** Makes an entry the one that the next start loads. Returns what went wrong, or null: the kernel has it already. */
export function publishBoot(state: string, entry: HistoryEntry | undefined): string | null {
  try {
    const boot = entry === undefined ? null : readKeptText(state, entry.id, BOOT);
    const fallback = entry === undefined ? null : readKeptText(state, entry.id, FALLBACK);
    if (boot === null) return "the next start loads what was in force before: nobody kept this ruleset";
    const files = bootFiles(state);
    rmSync(files.off, { force: true });
    if (readBoot(state) === boot) return null;
    mkdirSync(files.folder, { recursive: true, mode: 0o700 });
    if (fallback !== null) replaceFile(files.fallback, fallback);
    replaceFile(files.ruleset, boot);
    return null;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return `${why}; the next start loads what was in force before`;
  }
}

/** What the next start loads, by the file that it reads: the rules of a panic, other rules, or none. */
export function startLoads(state: string): "panic" | "policy" | "nothing" {
  const text = readBoot(state);
  if (text === null) return "nothing";
  return text.split('"').some((words) => parseSeal(words)?.kind === "panic") ? "panic" : "policy";
}

/** Makes the next start load nothing. Returns what went wrong, or null. */
export function clearBoot(state: string): string | null {
  try {
    const { ruleset, fallback, off } = bootFiles(state);
    for (const file of [ruleset, fallback, off]) rmSync(file, { force: true });
    return null;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return `${why}; the next start loads the rules again (kernel parameter seawall=off keeps them out)`;
  }
}
