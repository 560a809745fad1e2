/** The way back, short enough to be written on a card: postinst, init, install, README and `rescue --help` print this. */
import { existsSync } from "node:fs";
import { shellWord } from "../core/base/shell-word.ts";
import { LIBRARY } from "./payload.ts";
import { sourceRoot } from "./tree.ts";

export interface CardLine {
  readonly command: string;
  readonly meaning: string;
}

/** What stands above the lines. */
export const CARD_HEAD = [
  "The way back, to be kept where you find it without this machine. With each, only",
  "the guards judge, so SSH comes in, until `sudo seawall apply`:",
] as const;

/** Returns the lines of a machine on which Seawall is installed. */
export function installedCard(): readonly CardLine[] {
  return [
    { command: "sudo seawall rescue", meaning: "now, and at every start" },
    { command: `nft -f ${LIBRARY}/rescue.nft`, meaning: "at a console, until the next start" },
    { command: "seawall=off", meaning: "for one start, as a kernel parameter" },
  ];
}

/**
 * Returns what the operator of this machine should keep where Seawall cannot reach it: the lines that work here. Where
 * Seawall only runs from a checkout nothing of it is loaded at a start.
 */
export function wayBackCard(): readonly CardLine[] {
  if (existsSync(`${LIBRARY}/rescue.nft`)) return installedCard();
  const root = sourceRoot();
  return [
    { command: `sudo ${shellWord(`${root}/seawall`)} rescue`, meaning: "now" },
    { command: `nft -f ${shellWord(`${root}/share/boot/rescue.nft`)}`, meaning: "the same, at a console" },
  ];
}

/** Returns the card as it is printed, each line to be typed as it stands. */
export function cardText(lines: readonly CardLine[]): string {
  const width = Math.max(...lines.map(({ command }) => command.length));
  const rows = lines.map(({ command, meaning }) => `  ${command.padEnd(width)}  # ${meaning}\n`);
  return `${CARD_HEAD.join("\n")}\n${rows.join("")}`;
}
