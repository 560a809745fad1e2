/** What our last change left in the kernel, so that `status` can name it and see when somebody else changed it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readTableText } from "../edge/kernel/table-text.ts";
import { makeFolder } from "../edge/state/folder.ts";
import { replaceFile } from "../edge/state/history.ts";

export interface LandmarkPolicy {
  readonly id: number;
  readonly path: string;
  readonly mode: { readonly inbound: string; readonly outbound: string };
}

export interface Landmark {
  /** The policies whose generations are in the kernel, by generation. */
  readonly generations: Readonly<Record<string, LandmarkPolicy>>;
  /** The generation that holds without a lease; null when Seawall was taken down or never confirmed. */
  readonly committed: number | null;
  /** Our table as the kernel listed it after the change; null when there is none. */
  readonly text: string | null;
}

const LANDMARK_FILE = "landmark.json";

/** Returns what the last change left, or null when there was none (or the file is broken). */
export function readLandmark(state: string): Landmark | null {
  try {
    return JSON.parse(readFileSync(join(state, LANDMARK_FILE), "utf8")) as Landmark;
  } catch {
    return null;
  }
}

/** Looks at the kernel after a change of ours and remembers it. */
export function writeLandmark(
  state: string,
  policies: readonly (LandmarkPolicy & { readonly generation: number })[],
): void {
  const table = readTableText();
  const generations: Record<string, LandmarkPolicy> = {};
  for (const { generation, id, path, mode } of policies) generations[String(generation)] = { id, path, mode };
  const landmark: Landmark = {
    generations: table === null ? {} : generations,
    committed: table?.committed ?? null,
    text: table?.text ?? null,
  };
  makeFolder(state);
  replaceFile(join(state, LANDMARK_FILE), `${JSON.stringify(landmark)}\n`);
}
