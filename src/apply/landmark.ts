/** What our last change left in the kernel, so that `status` can see when somebody else changed it. */
import { SeawallError } from "../core/base/error.ts";
import { digestGeneration, type LiveState, readLive } from "../edge/kernel/live.ts";
import { makeFolder } from "../edge/state/folder.ts";
import { readHistoryEntry } from "../edge/state/history-entry.ts";
import { replaceFile } from "../edge/state/replace-file.ts";
import { parseSeal } from "./seal.ts";

const { readFileSync, rmSync } = process.getBuiltinModule("node:fs");

export interface Landmark {
  /** The generation that holds without a lease; null when Seawall was taken down or never confirmed. */
  readonly committed: number | null;
  /** What judges in each generation, as the kernel held it after the change. */
  readonly digests: Readonly<Record<string, { readonly digest: string; readonly sets: readonly string[] }>>;
}

/** LIMIT: elements of a generation that `status` reads each time; a larger one is watched by its rules alone. */
const WATCHED_ELEMENTS_MAX = 5_000;
const LANDMARK_FILE = "landmark.json";

/** Returns what the last change left, or null when there was none (or the file is broken). */
export function readLandmark(state: string): Landmark | null {
  try {
    const found: unknown = JSON.parse(readFileSync(`${state}/${LANDMARK_FILE}`, "utf8"));
    return isLandmark(found) ? found : null;
  } catch {
    return null;
  }
}

function isLandmark(value: unknown): value is Landmark {
  if (typeof value !== "object" || value === null) return false;
  const { committed, digests } = value as Partial<Record<keyof Landmark, unknown>>;
  const known = committed === null || typeof committed === "number";
  return known && typeof digests === "object" && digests !== null;
}

/** Whether what judges in a generation is still what was put there; null when nobody wrote down what that was. */
export function isUnchanged(landmark: Landmark | null, generation: number): boolean | null {
  const known = landmark?.digests[String(generation)];
  if (known === undefined || !Array.isArray(known.sets)) return null;
  return digestGeneration(generation, known.sets) === known.digest;
}

/**
 * Looks at the kernel after a change of ours and remembers it. Returns what went wrong, or null: the change itself
 * is done, so this is nothing to fail for.
 */
export function writeLandmark(state: string): string | null {
  try {
    makeFolder(state);
    const live = readLive();
    const generations = [live?.committed, live?.candidate].flatMap((generation) => generation ?? []);
    const digests = Object.fromEntries(
      generations.map((generation) => {
        const sets = live === null ? [] : watchedSets(state, live, generation);
        return [generation, { digest: digestGeneration(generation, sets), sets }];
      }),
    );
    const landmark: Landmark = { committed: live?.committed ?? null, digests };
    replaceFile(`${state}/${LANDMARK_FILE}`, `${JSON.stringify(landmark)}\n`);
    return null;
  } catch (cause) {
    if (!(cause instanceof SeawallError)) throw cause;
    // The old one would blame others for what we have just done.
    rmSync(`${state}/${LANDMARK_FILE}`, { force: true });
    return `${cause.message}; changes by others will not be noticed`;
  }
}

/** The maps of the generation and the static sets that it needs, unless they are too large to be read each time. */
function watchedSets(state: string, live: LiveState, generation: number): string[] {
  const entry = readHistoryEntry(state, parseSeal(live.seals.get(generation) ?? "")?.id);
  if (entry === undefined || entry.elements > WATCHED_ELEMENTS_MAX) return [`g${generation}/admitted`];
  const maps = [...live.maps].filter((name) => name.startsWith(`g${generation}/`));
  return [...maps, ...entry.objects.filter((name) => /^prefixes[46]_/.test(name))].sort();
}
