/** What a change means against what is in force, in one line, from the two policies as they were resolved. */
import { changeWords } from "../core/policy/change-summary.ts";
import type { ResolvedPolicy } from "../core/policy/resolved.ts";
import type { Folders } from "../edge/state/folder.ts";
import { readResolvedPolicy } from "../edge/state/resolved-policy.ts";
import { readInForce } from "./in-force.ts";

/** Returns what this policy would change, were it put in force now. */
export function changeByPolicy(folders: Folders, policy: ResolvedPolicy): string {
  const inForce = readInForce(folders);
  switch (inForce.kind) {
    case "judging":
      return changeWords(inForce.whole, policy);
    case "off":
    case "rescued":
      return changeWords(null, policy);
    case "unknown":
      return `not known: ${inForce.said}`;
  }
}

export interface TrialChange {
  /** Numbers in the history: of what is on trial, and of what was in force before it (null: nothing). */
  readonly history: number;
  readonly before: number | null;
  /** What a confirm keeps. */
  readonly kept: string;
  /** What a rollback takes back. */
  readonly undone: string;
}

/** Returns what the change that is on trial means; null where none is, or where it cannot be told. */
export function changeOnTrial(folders: Folders): TrialChange | null {
  const inForce = readInForce(folders);
  if (inForce.kind !== "judging" || inForce.leftMs === null) return null;
  const { history, before, whole } = inForce;
  if (before === null) {
    return { history, before, kept: changeWords(null, whole), undone: "nothing of Seawall is in force" };
  }
  const old = readResolvedPolicy(folders.state, before);
  if (old === null) return null;
  return { history, before, kept: changeWords(old, whole), undone: changeWords(whole, old) };
}
