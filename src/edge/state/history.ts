/** Every policy that was proposed, with what became of it. The kernel says which is in force; this says what it was. */
import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { SeawallError } from "../../core/base/error.ts";
import { makeFolder } from "./folder.ts";

export interface HistoryEntry {
  readonly id: number;
  readonly generation: number;
  readonly proposedMs: number;
  readonly confirmedMs: number | null;
  readonly policyPath: string;
  readonly sha256: string;
  readonly mode: { readonly inbound: string; readonly outbound: string };
  /** Names of the kernel objects that this generation needs. */
  readonly objects: readonly string[];
  /** Who proposed it: a login name or uid. */
  readonly by: string;
}

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
    .filter((file) => /^\d{6}\.json$/.test(file))
    .sort()
    .flatMap((file) => {
      try {
        return [JSON.parse(readFileSync(join(state, "history", file), "utf8")) as HistoryEntry];
      } catch {
        return [];
      }
    });
}

export function readPolicyOf(state: string, id: number): string {
  try {
    return readFileSync(join(state, "history", `${stem(id)}.yaml`), "utf8");
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
  if (policy !== null) replaceFile(join(folder, `${stem(entry.id)}.yaml`), policy);
  replaceFile(join(folder, `${stem(entry.id)}.json`), `${JSON.stringify(entry)}\n`);
}

/** Removes the oldest entries beyond HISTORY_ENTRIES_MAX, except those named. */
export function trimHistory(state: string, keep: ReadonlySet<number>): void {
  const entries = readHistory(state);
  for (const { id } of entries.slice(0, Math.max(0, entries.length - HISTORY_ENTRIES_MAX))) {
    if (keep.has(id)) continue;
    for (const ending of ["json", "yaml"])
      rmSync(join(state, "history", `${stem(id)}.${ending}`), { force: true });
  }
}

/** Replaces a file by writing beside it, fsync, rename. */
export function replaceFile(path: string, text: string): void {
  const beside = `${path}.new`;
  try {
    const file = openSync(beside, "w", 0o600);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, path);
  } catch (cause) {
    throw new SeawallError("SEAWALL_STATE", `cannot write \`${path}\``, {
      still: "the kernel keeps the rules it had",
      cause,
    });
  }
}

function stem(id: number): string {
  return String(id).padStart(6, "0");
}
