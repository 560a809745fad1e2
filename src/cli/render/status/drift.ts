/** What others did to the kernel's rules. */
import type { DriftEvent } from "../../../apply/drift-record.ts";
import type { Status } from "../../../apply/status.ts";
import { plain } from "../../../core/base/plain.ts";
import { momentText } from "../moment.ts";

/** What was put right longer ago is no news. */
const SHOWN_MS = 24 * 60 * 60 * 1_000;

/**
 * What was done to our table is told while something of ours is in force or should be, and an alarm only while
 * somebody is there to sound it. SECURITY: names of programs and units are somebody else's.
 */
export function changeLines({ changes, generation, state, at, daemon }: Status): string[] {
  if (changes === null) return [];
  const { last, healed, alarm, others } = changes;
  const isMeant = generation !== null || state === "drifted";
  const nowMs = Date.parse(at);
  const isNews = last !== null && nowMs - Date.parse(last.at) < SHOWN_MS;
  return [
    ...(isMeant && isNews ? [`changed        ${eventText(last, nowMs)}`] : []),
    ...(isMeant && isNews && healed > 1
      ? [`               put right ${healed} times since seawalld started`]
      : []),
    ...(isMeant && alarm && daemon !== null
      ? [
          "ALARM          somebody changes our rules again and again;",
          "               they are put right three times a minute",
        ]
      : []),
    ...others.map(({ said, help }) => `others         ${said}; try: ${help}`),
  ].map(plain);
}

/** `14:43 nft (pid 2291, started by sh) deleted our table; put back after 0.1 s`. */
function eventText({ at, by, what, outcome, damage, afterMs }: DriftEvent, nowMs: number): string {
  const after = afterMs === undefined ? "" : ` after ${(afterMs / 1_000).toFixed(1)} s`;
  const end = outcome === "healed" ? `put back${after}` : "NOT put back";
  return `${momentText(Date.parse(at), nowMs)} ${deedText(what, damage, by)}; ${end}`;
}

/** Who did what, as far as anybody saw; what no deed is known of is told as it was found. */
function deedText(what: string, damage: DriftEvent["damage"], by: string | null): string {
  const [thing, verb] = what.startsWith("our table is gone")
    ? ["our table", "deleted"]
    : damage === "rules"
      ? ["our rules", "changed"]
      : ["our sets", "changed"];
  const isKnown = verb === "deleted" || damage === "rules" || damage === "elements";
  if (!isKnown) return `found: ${what}${by === null ? "" : `, by ${by}`}`;
  return by === null
    ? `${thing} ${thing === "our table" ? "was" : "were"} ${verb}`
    : `${by} ${verb} ${thing}`;
}

export function driftLines({ drift }: Status): string[] {
  return drift === null ? [] : [`drift          ${plain(drift)}`, "Next: sudo seawall apply"];
}
