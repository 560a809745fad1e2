/** What our last change left in the kernel, so that `status` can see when somebody else changed it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readTableText } from "../edge/kernel/table-text.ts";
import { makeFolder } from "../edge/state/folder.ts";
import { replaceFile } from "../edge/state/replace-file.ts";

export interface Landmark {
  /** The generation that holds without a lease; null when Seawall was taken down or never confirmed. */
  readonly committed: number | null;
  /** What judges in each generation, as the kernel listed it after the change. */
  readonly texts: Readonly<Record<string, string>>;
}

const LANDMARK_FILE = "landmark.json";

/** Returns what the last change left, or null when there was none (or the file is broken). */
export function readLandmark(state: string): Landmark | null {
  try {
    const found = JSON.parse(readFileSync(join(state, LANDMARK_FILE), "utf8")) as Partial<Landmark>;
    return typeof found.texts === "object"
      ? { committed: found.committed ?? null, texts: found.texts }
      : null;
  } catch {
    return null;
  }
}

/** Looks at the kernel after a change of ours and remembers it. */
export function writeLandmark(state: string): void {
  const table = readTableText();
  const texts: Record<string, string> = {};
  for (const generation of [table?.committed, table?.candidate]) {
    if (table !== null && generation != null) texts[String(generation)] = table.textOf(generation);
  }
  const landmark: Landmark = { committed: table?.committed ?? null, texts };
  makeFolder(state);
  replaceFile(join(state, LANDMARK_FILE), `${JSON.stringify(landmark)}\n`);
}
