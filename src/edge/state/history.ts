/** Every policy that was proposed, with what became of it. The kernel says which is in force; this says what it was. */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { SeawallError } from "../../core/base/error.ts";
import { makeFolder } from "./folder.ts";
import { entryStem, type HistoryEntry, readHistoryEntry } from "./history-entry.ts";
import { replaceFile } from "./replace-file.ts";

/** LIMIT: entries kept; older ones are removed, never one that the caller says is in use. */
export const HISTORY_ENTRIES_MAX = 50;

/** Returns the entries, oldest first. A broken entry is left out: it is no reason to stop. */
export function readHistory(state: string): HistoryEntry[] {
  let files: string[];
  try {
    files = readdirSync(join(state, "history"));
  } catch {
    return [];
  }
  return files
    .flatMap((file) => /^(\d{6})\.json$/.exec(file)?.[1] ?? [])
    .sort()
    .flatMap((id) => readHistoryEntry(state, Number(id)) ?? []);
}

export function readPolicyOf(state: string, id: number): string {
  try {
    return readFileSync(join(state, "history", `${entryStem(id)}.yaml`), "utf8");
  } catch (cause) {
    throw new SeawallError("SEAWALL_NOT_FOUND", `history has no policy ${id}`, {
      help: "seawall history",
      cause,
    });
  }
}

/** Writes an entry so that it is whole or absent, also after a power cut. */
export function writeHistory(state: string, entry: HistoryEntry, policy: string | null): void {
  const folder = join(state, "history");
  makeFolder(folder);
  if (policy !== null) replaceFile(join(folder, `${entryStem(entry.id)}.yaml`), policy);
  replaceFile(join(folder, `${entryStem(entry.id)}.json`), `${JSON.stringify(entry)}\n`);
}

/** Removes the oldest entries beyond HISTORY_ENTRIES_MAX, except those named. */
export function trimHistory(state: string, keep: ReadonlySet<number>): void {
  const entries = readHistory(state);
  for (const { id } of entries.slice(0, Math.max(0, entries.length - HISTORY_ENTRIES_MAX))) {
    if (keep.has(id)) continue;
    for (const ending of ["json", "yaml"])
      rmSync(join(state, "history", `${entryStem(id)}.${ending}`), { force: true });
  }
}
