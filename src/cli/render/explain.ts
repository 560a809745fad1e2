/** What happens to a flow, in words: by what is in force, and by a file that is not. */
import type { InForce, Judging } from "../../apply/in-force.ts";
import { plain } from "../../core/base/plain.ts";
import { describeFlow, explain } from "../../core/policy/explain.ts";
import type { Decision } from "../../core/policy/decision.ts";
import type { ResolvedPolicy } from "../../core/policy/resolved.ts";
import type { Flow } from "../../core/net/flow.ts";
import { momentText, spanText } from "./moment.ts";

/** What a file would do with the flow; `decision` is null when the file cannot be applied as it is. */
export interface DraftAnswer {
  readonly path: string;
  readonly policy: ResolvedPolicy | null;
  readonly decision: Decision | null;
}

/** What is in force does; `decision` is null when nobody can tell. */
export interface ForceAnswer {
  readonly inForce: InForce;
  readonly decision: Decision | null;
}

/** Returns the lines about what is in force, and about the file only where it would answer differently. */
export function forceText(flow: Flow, force: ForceAnswer, draft: DraftAnswer | null, nowMs: number): string {
  const { inForce, decision } = force;
  const lines = [inForceLine(inForce, nowMs), ...forceLines(flow, inForce, decision)];
  if (draft !== null && differs(decision, draft.decision)) lines.push("", ...fileLines(flow, draft));
  return ended(lines);
}

/** Returns the lines about a draft alone. */
export function draftText(flow: Flow, path: string, policy: ResolvedPolicy, decision: Decision): string {
  return ended([
    `draft ${plain(path)}: what it says, not what is in force`,
    ...explain(policy, flow, decision),
  ]);
}

function ended(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

function forceLines(flow: Flow, inForce: InForce, decision: Decision | null): string[] {
  switch (inForce.kind) {
    case "off":
      return [`${describeFlow(flow)}: Seawall does nothing with it.`];
    case "rescued":
      return [
        `${describeFlow(flow)}: no rule of a policy judges it, only the guards that never go.`,
        "`seawall apply` puts a policy in force again.",
      ];
    case "unknown":
      return [`${describeFlow(flow)}: what the kernel does with it cannot be told from here.`];
    case "judging":
      return decision === null ? [] : [...explain(inForce.policy, flow, decision), ...heldLines(inForce)];
  }
}

function heldLines({ held }: Judging): string[] {
  return held ? ["What is allowed only until a time is left out until the clock is known to be right."] : [];
}

function inForceLine(inForce: InForce, nowMs: number): string {
  switch (inForce.kind) {
    case "off":
      return "in force: nothing of Seawall";
    case "rescued":
      return "in force: the rescue, in the place of every policy";
    case "unknown":
      return `in force: NOT KNOWN${inForce.history === null ? "" : ` (history ${inForce.history})`}: ${inForce.said}`;
    case "judging":
      return `in force (history ${inForce.history}${endWords(inForce, nowMs)})`;
  }
}

function endWords({ reason, leftMs, before }: Judging, nowMs: number): string {
  switch (reason) {
    case "panic":
      return ", PANIC until `seawall panic --off`";
    case "pause":
      return `, PAUSED until ${momentText(nowMs + (leftMs ?? 0), nowMs)}`;
    case "policy": {
      if (leftMs === null) return "";
      const then = before === null ? "nothing of Seawall" : `history ${before} again`;
      return `, on trial: ${spanText(leftMs)} left, then ${then} unless confirmed`;
    }
  }
}

/** Whether two answers are not the same to whoever asked. */
export function differs(now: Decision | null, then: Decision | null): boolean {
  if (now === null || then === null) return true;
  return now.verdict !== then.verdict || now.observed !== then.observed || now.rule !== then.rule;
}

function fileLines(flow: Flow, { path, policy, decision }: DraftAnswer): string[] {
  if (policy === null || decision === null) {
    return [`the file ${plain(path)} cannot be applied as it is: seawall policy check`];
  }
  return [
    `the file on disk would say (not applied: sudo seawall apply): ${plain(path)}`,
    ...explain(policy, flow, decision).map((line) => `  ${line}`),
  ];
}
