/**
 * The screen of `seawall status`: one function a subject, each of which says nothing where there is nothing to say.
 * A new line is a new function in LINES.
 */
import type { Status } from "../../../apply/status.ts";
import { alarmLines } from "./alarm.ts";
import { containmentLines, isContainmentFirst } from "./containment.ts";
import { daemonLines } from "./daemon.ts";
import { changeLines, driftLines } from "./drift.ts";
import { gateLine } from "./gate.ts";
import { directionLines, headline, ownModeLines } from "./headline.ts";
import { heldLines, rescuedLines } from "./next-start.ts";
import { lastChangeLines, policyLine } from "./policy.ts";
import { confirmLines } from "./waiting.ts";

type Lines = (status: Status) => readonly string[];

/** In the order of the screen, behind the headline. */
const LINES: readonly Lines[] = [
  directionLines,
  ownModeLines,
  gateLine,
  daemonLines,
  policyLine,
  lastChangeLines,
  confirmLines,
  heldLines,
  rescuedLines,
  changeLines,
  driftLines,
];

/**
 * Returns the screen, with its last line ended. `watched`: lines of what would be refused, below the headline.
 * `file`: lines of what the file has and the kernel has not, below the policy.
 */
export function statusScreen(
  status: Status,
  {
    watched = [],
    file = [],
  }: { readonly watched?: readonly string[]; readonly file?: readonly string[] } = {},
): string {
  const contained = containmentLines(status);
  const first = [...headline(status), ...watched];
  const top = isContainmentFirst(status) ? [...contained, ...first] : [...first, ...contained];
  const rest = LINES.flatMap((lines) => (lines === policyLine ? [...lines(status), ...file] : lines(status)));
  return `${[...alarmLines(status), ...top, ...rest].join("\n")}\n`;
}
