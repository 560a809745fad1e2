/** Puts a policy of the history back into the file that it was read from; what stood there is kept beside it. */
import { existsSync, realpathSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { SeawallError } from "../core/base/error.ts";
import { readDropIns } from "../edge/host/policy-file.ts";
import { writableBy } from "../edge/host/writable-by.ts";
import type { HistoryEntry } from "../edge/state/history-entry.ts";
import { policyHash, type PolicyTexts, readPolicyOf } from "../edge/state/history.ts";
import { replaceFile } from "../edge/state/replace-file.ts";
import type { CommandContext } from "./command.ts";
import { readPolicy } from "./policy.ts";
import { keepCopy, replaceKeeping } from "./policy-write.ts";

export interface PutBack {
  readonly path: string;
  /** Where what stood there is now, each with its own name. */
  readonly kept: readonly string[];
}

/** Whether a file, with its drop-ins, is byte for byte what an entry was read from. */
export function isAsApplied(context: CommandContext, entry: HistoryEntry): boolean {
  if (!existsSync(entry.policyPath)) return false;
  try {
    return policyHash(readPolicy(context, entry.policyPath)) === entry.sha256;
  } catch (cause) {
    if (!(cause instanceof SeawallError)) throw cause;
    return false;
  }
}

/**
 * Writes the text of an entry, and its drop-ins, where they were read from. Files of prefixes are left as they are: the
 * history has what was in them, and not their text. Refuses what the history does not have whole, and a place that
 * somebody else than root may change.
 */
export function putBack(context: CommandContext, state: string, entry: HistoryEntry): PutBack {
  const texts = readPolicyOf(state, entry);
  const path = entry.policyPath;
  for (const one of [path, ...texts.dropIns.map(({ file }) => join(dirname(path), file))]) refuseStrange(one);
  const stamp = new Date(context.nowMs()).toISOString().slice(0, 19).replaceAll(/[-:]/g, "");
  const kept = [
    ...write(path, texts.text, stamp),
    ...texts.dropIns.flatMap(({ file, text }) => write(join(dirname(path), file), text, stamp)),
    ...setAside(context, path, texts, stamp),
  ];
  return { path, kept };
}

/** SECURITY: where somebody else may make a link, root would write wherever that leads. */
function refuseStrange(path: string): void {
  let at = path;
  while (!existsSync(at) && at !== dirname(at)) at = dirname(at);
  const why = writableBy(at, ROOT) ?? writableBy(realpathSync(at), ROOT);
  if (why === null) return;
  throw new SeawallError("SEAWALL_STATE", `\`${path}\` is no place for root to write: ${why}`, {
    still: "nothing was written",
    help: "keep the policy in a folder of root alone: /etc/seawall",
  });
}

const ROOT: ReadonlySet<number> = new Set([0]);

/** INVARIANT: nothing is overwritten that is not beside it under another name first. */
function write(path: string, text: string, stamp: string): string[] {
  if (!existsSync(path)) {
    replaceFile(path, text);
    return [];
  }
  const copy = `${path}.${stamp}`;
  keepCopy(path, copy);
  replaceKeeping(path, text);
  return [copy];
}

/** Drop-ins that came later are no part of it: under a name that ends otherwise nobody reads them. */
function setAside(context: CommandContext, path: string, texts: PolicyTexts, stamp: string): string[] {
  if (readPolicy(context, path).dropIns.length === 0) return [];
  const known = new Set(texts.dropIns.map(({ file }) => file));
  return readDropIns(path).dropIns.flatMap(({ file }) => {
    if (known.has(file)) return [];
    const later = join(dirname(path), file);
    const aside = `${later}.${stamp}`;
    if (existsSync(aside)) throw taken(aside);
    renameSync(later, aside);
    return [aside];
  });
}

function taken(path: string): SeawallError {
  return new SeawallError("SEAWALL_STATE", `there is a file \`${path}\` already`, {
    still: "what was written before it stays written; what stood there is kept beside it",
    help: `ls -l ${path}, then move it away`,
  });
}

/** For people, after it was done. */
export function putBackText({ path, kept }: PutBack, id: number): string {
  const lines = [
    `file: ${path} is as in history ${id} again`,
    ...kept.map((one) => `  what stood there is in ${one}`),
  ];
  return lines.map((line) => `${line}\n`).join("");
}
