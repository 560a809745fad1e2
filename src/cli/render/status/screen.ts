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
import { nextConfirm } from "../way-in.ts";
import { waitingLines } from "./waiting.ts";

export interface StatusParts {
  readonly watched?: readonly string[];
  readonly file?: readonly string[];
  readonly ssh?: readonly string[];
  readonly confirm?: string | null;
}

type Lines = (status: Status) => readonly string[];

/** In the order of the screen, behind the headline. */
const LINES: readonly Lines[] = [
  directionLines,
  ownModeLines,
  gateLine,
  daemonLines,
  policyLine,
  lastChangeLines,
  waitingLines,
  heldLines,
  rescuedLines,
  changeLines,
  driftLines,
];

/**
 * Returns the screen, with its last line ended. `watched`: lines of what would be refused, below the headline.
 * `file`: lines of what the file has and the kernel has not, below the policy. `ssh`: that nobody can log in, above all
 * that follows. `confirm`: the line that confirms what waits.
 */
export function statusScreen(
  status: Status,
  { watched = [], file = [], ssh = [], confirm = null }: StatusParts = {},
): string {
  const contained = containmentLines(status);
  const first = [...headline(status), ...watched, ...ssh];
  const top = isContainmentFirst(status) ? [...contained, ...first] : [...first, ...contained];
  const rest = LINES.flatMap((lines) => {
    if (lines === policyLine) return [...lines(status), ...file];
    return lines === waitingLines && confirm !== null
      ? [...lines(status), nextConfirm(confirm).trimEnd()]
      : lines(status);
  });
  return `${[...alarmLines(status), ...top, ...rest].join("\n")}\n`;
}
