/** What our last change left in the kernel, so that `status` can see when somebody else changed it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SeawallError } from "../core/base/error.ts";
import { readTableText } from "../edge/kernel/table-text.ts";
import { makeFolder } from "../edge/state/folder.ts";
import { replaceFile } from "../edge/state/replace-file.ts";

export interface Landmark {
  /** The generation that holds without a lease; null when Seawall was taken down or never confirmed. */
  readonly committed: number | null;
  /** What judges in each generation, as the kernel listed it after the change. */
  readonly texts: Readonly<Record<string, string>>;
  /** Whether the texts hold the elements of maps and sets too. */
  readonly whole: boolean;
}

/** LIMIT: elements of a generation that `status` reads each time; a larger one is watched by its rules alone. */
export const WATCHED_ELEMENTS_MAX = 5_000;

const LANDMARK_FILE = "landmark.json";

/** Returns what the last change left, or null when there was none (or the file is broken). */
export function readLandmark(state: string): Landmark | null {
  try {
    const found: unknown = JSON.parse(readFileSync(join(state, LANDMARK_FILE), "utf8"));
    return isLandmark(found) ? found : null;
  } catch {
    return null;
  }
}

function isLandmark(value: unknown): value is Landmark {
  if (typeof value !== "object" || value === null) return false;
  const { committed, texts, whole } = value as Partial<Record<keyof Landmark, unknown>>;
  const known = committed === null || typeof committed === "number";
  return known && typeof whole === "boolean" && typeof texts === "object" && texts !== null;
}

/**
 * Looks at the kernel after a change of ours and remembers it: with `whole`, elements too. Returns what went wrong,
 * or null: the change itself is done, so this is nothing to fail for.
 */
export function writeLandmark(state: string, whole: boolean): string | null {
  try {
    makeFolder(state);
    const table = readTableText(whole);
    const generations = [table?.committed, table?.candidate].flatMap((generation) => generation ?? []);
    const texts = Object.fromEntries(generations.map((one) => [one, table?.textOf(one) ?? ""]));
    const landmark: Landmark = { committed: table?.committed ?? null, texts, whole };
    replaceFile(join(state, LANDMARK_FILE), `${JSON.stringify(landmark)}\n`);
    return null;
  } catch (cause) {
    if (!(cause instanceof SeawallError)) throw cause;
    return `${cause.message}; changes by others will not be noticed`;
  }
}
