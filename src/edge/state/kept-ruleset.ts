/** The rulesets of the policies in the history, as they were compiled: what the kernel is given again. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import type { Ruleset } from "../../core/compile/nftables/ruleset.ts";
import { entryStem } from "./history-entry.ts";
import { replaceFile } from "./replace-file.ts";

/** The endings of the files beside an entry of the history. */
export const RULESET = "ruleset";
export const BOOT = "boot.nft";
export const FALLBACK = "fallback.nft";
const FORMAT = 1;

export interface KeptRuleset {
  readonly ruleset: Ruleset;
  /** What `nft -f` loads when the machine starts, and what it loads when that is refused. */
  readonly boot: string;
  readonly fallback: string;
}

/** Writes what an entry was compiled to. Only root reads and writes this folder. */
export function writeKeptRuleset(state: string, id: number, { ruleset, boot, fallback }: KeptRuleset): void {
  replaceFile(pathOf(state, id, RULESET), serialize({ format: FORMAT, ruleset }));
  replaceFile(pathOf(state, id, BOOT), boot);
  replaceFile(pathOf(state, id, FALLBACK), fallback);
}

/** Returns the ruleset of an entry, or null when it is not there, broken, or of another version. */
export function readKeptRuleset(state: string, id: number): Ruleset | null {
  try {
    const found = deserialize(readFileSync(pathOf(state, id, RULESET))) as {
      format?: number;
      ruleset?: Ruleset;
    };
    return found.format === FORMAT && found.ruleset !== undefined ? found.ruleset : null;
  } catch {
    return null;
  }
}

/** Returns the text of a file beside an entry, or null when it is not there. */
export function readKeptText(
  state: string,
  id: number,
  ending: typeof BOOT | typeof FALLBACK,
): string | null {
  try {
    return readFileSync(pathOf(state, id, ending), "utf8");
  } catch {
    return null;
  }
}

function pathOf(state: string, id: number, ending: string): string {
  return join(state, "history", `${entryStem(id)}.${ending}`);
}
