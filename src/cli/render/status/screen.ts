/** The screen of `seawall status`: one function a subject, each of which says nothing where there is nothing to say. */
import type { Status } from "../../../apply/status.ts";
import { containmentLines } from "./containment.ts";
import { daemonLines } from "./daemon.ts";
import { changeLines, driftLines } from "./drift.ts";
import { gateLine } from "./gate.ts";
import { headline, modeLine } from "./headline.ts";
import { heldLine, rescuedLines } from "./next-start.ts";
import { policyLines } from "./policy.ts";
import { confirmLines, pauseLine } from "./waiting.ts";

type Lines = (status: Status) => readonly string[];

/** In the order of the screen. */
const LINES: readonly Lines[] = [
  containmentLines,
  headline,
  modeLine,
  gateLine,
  daemonLines,
  policyLines,
  confirmLines,
  pauseLine,
  heldLine,
  rescuedLines,
  changeLines,
  driftLines,
];

/** Returns the screen, with its last line ended. */
export function statusScreen(status: Status): string {
  return `${LINES.flatMap((lines) => lines(status)).join("\n")}\n`;
}
