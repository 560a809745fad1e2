/** Every policy that was proposed, with what became of it. The kernel says which is in force; this says what it was. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { SeawallError } from "../../core/base/error.ts";
import type { DropIn } from "../../core/policy/document.ts";
import { makeFolder } from "./folder.ts";
import { entryStem, type HistoryEntry, readHistoryEntry } from "./history-entry.ts";
import { replaceFile } from "./replace-file.ts";
import { BOOT, FALLBACK, RULESET } from "./kept-ruleset.ts";
import { RESOLVED } from "./resolved-policy.ts";

/** LIMIT: entries kept; older ones are removed, never one that the caller says is in use. */
export const HISTORY_ENTRIES_MAX = 50;

/** Returns the entries, oldest first. A broken entry is left out: it is no reason to stop. */
export function readHistory(state: string): HistoryEntry[] {
  let files: string[];
  try {
    files = readdirSync(join(state, "history"));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EACCES") return [];
    throw new SeawallError("SEAWALL_NOT_ROOT", "only root may read the history", {
      help: "sudo seawall history",
      cause,
    });
  }
  return files
    .flatMap((file) => /^(\d{6})\.json$/.exec(file)?.[1] ?? [])
    .sort()
    .flatMap((id) => readHistoryEntry(state, Number(id)) ?? []);
}

/** What a policy was read from. */
export interface PolicyTexts {
  readonly text: string;
  readonly dropIns: readonly DropIn[];
}

/** Returns the SHA-256 (hex) of a policy: of its file alone, or of its file and its drop-ins with their names. */
export function policyHash({ text, dropIns }: PolicyTexts): string {
  const whole =
    dropIns.length === 0 ? text : JSON.stringify([text, dropIns.map((dropIn) => [dropIn.file, dropIn.text])]);
  return createHash("sha256").update(whole).digest("hex");
}

/** Returns the texts of an entry as they were applied. Refuses what is missing or has changed since. */
export function readPolicyOf(state: string, entry: HistoryEntry): PolicyTexts {
  const path = (ending: string): string => join(state, "history", `${entryStem(entry.id)}.${ending}`);
  let texts: PolicyTexts;
  try {
    const dropIns = (entry.dropIns?.length ?? 0) === 0 ? [] : readTexts(path(DROP_INS));
    texts = { text: readFileSync(path("yaml"), "utf8"), dropIns };
  } catch (cause) {
    throw new SeawallError("SEAWALL_NOT_FOUND", `history has no policy ${entry.id}`, {
      help: "seawall history",
      cause,
    });
  }
  if (policyHash(texts) === entry.sha256) return texts;
  throw new SeawallError("SEAWALL_STATE", `policy ${entry.id} of the history is not what was applied`, {
    still: "nothing was changed",
    help: "seawall history",
  });
}

/** The ending of the file that holds the drop-ins of an entry, as `[{file, text}]`. */
const DROP_INS = "drop-ins.json";

function readTexts(path: string): DropIn[] {
  return (JSON.parse(readFileSync(path, "utf8")) as DropIn[]).map(({ file, text }) => ({ file, text }));
}

/** Writes an entry so that it is whole or absent, also after a power cut. */
export function writeHistory(state: string, entry: HistoryEntry, policy: PolicyTexts | null): void {
  const folder = join(state, "history");
  makeFolder(folder);
  const stem = join(folder, entryStem(entry.id));
  if (policy !== null) replaceFile(`${stem}.yaml`, policy.text);
  if (policy !== null && policy.dropIns.length > 0) {
    const dropIns = policy.dropIns.map(({ file, text }) => ({ file, text }));
    replaceFile(`${stem}.${DROP_INS}`, `${JSON.stringify(dropIns)}\n`);
  }
  replaceFile(`${stem}.json`, `${JSON.stringify(entry)}\n`);
}

/** Removes the oldest entries beyond HISTORY_ENTRIES_MAX and the rulesets of all, except those named. */
export function trimHistory(state: string, keep: ReadonlySet<number>): void {
  const entries = readHistory(state);
  for (const { id } of entries) {
    if (keep.has(id)) continue;
    for (const ending of [RULESET, BOOT, FALLBACK])
      rmSync(join(state, "history", `${entryStem(id)}.${ending}`), { force: true });
  }
  for (const { id } of entries.slice(0, Math.max(0, entries.length - HISTORY_ENTRIES_MAX))) {
    if (keep.has(id)) continue;
    for (const ending of ["json", "yaml", DROP_INS, RESOLVED])
      rmSync(join(state, "history", `${entryStem(id)}.${ending}`), { force: true });
  }
}
