/** What our last change left in the kernel, so that `status` can see when somebody else changed it. */
import { SeawallError } from "../core/base/error.ts";
import { digestGeneration, type GenerationDigest, type LiveState, readLive } from "../edge/kernel/live.ts";
import { type Folders, makeFolder } from "../edge/state/folder.ts";
import { readHistoryEntry } from "../edge/state/history-entry.ts";
import { dropFile, replaceFile } from "../edge/state/replace-file.ts";
import { parseSeal } from "./seal.ts";

const { readFileSync } = process.getBuiltinModule("node:fs");

export interface Landmark {
  /** The generation that holds without a lease; null when Seawall was taken down or never confirmed. */
  readonly committed: number | null;
  /** Its entry of the history. */
  readonly entryId: number | null;
  /** Whether it was there without what is allowed only until a time. */
  readonly held: boolean;
  /** What judges in each generation, as the kernel held it after the change. */
  readonly digests: Readonly<Record<string, GenerationDigest & { readonly sets: readonly string[] }>>;
}

/** LIMIT: elements of a generation that `status` reads each time; a larger one is watched by its rules alone. */
const WATCHED_ELEMENTS_MAX = 5_000;
/** In the run folder: what it tells of ends with the machine, as the kernel's rules do. */
const LANDMARK_FILE = "landmark.json";

/** Returns what the last change since the machine started left, or null when there was none (or it is broken). */
export function readLandmark({ run }: Folders): Landmark | null {
  try {
    const found: unknown = JSON.parse(readFileSync(`${run}/${LANDMARK_FILE}`, "utf8"));
    return isLandmark(found) ? found : null;
  } catch {
    return null;
  }
}

function isLandmark(value: unknown): value is Landmark {
  if (typeof value !== "object" || value === null) return false;
  const { committed, entryId, digests } = value as Partial<Record<keyof Landmark, unknown>>;
  const known = [committed, entryId].every((one) => one === null || typeof one === "number");
  return known && typeof digests === "object" && digests !== null;
}

/** What of a generation is not what was put there: null when nobody wrote down what that was. */
export function changedSince(
  landmark: Landmark | null,
  generation: number,
): "nothing" | "rules" | "elements" | null {
  const known = landmark?.digests[String(generation)];
  if (known === undefined || !Array.isArray(known.sets)) return null;
  const found = digestGeneration(generation, known.sets);
  if (found.elements !== known.elements) return "elements";
  return found.rules === known.rules ? "nothing" : "rules";
}

/**
 * Looks at the kernel after a change of ours and remembers it. Returns what went wrong, or null: the change itself
 * is done, so this is nothing to fail for.
 */
export function writeLandmark(folders: Folders): string | null {
  const { run, state } = folders;
  try {
    makeFolder(run);
    const live = readLive();
    const generations = [live?.committed, live?.candidate].flatMap((generation) => generation ?? []);
    const digests = Object.fromEntries(
      generations.map((generation) => {
        const sets = live === null ? [] : watchedSets(state, live, generation);
        return [generation, { ...digestGeneration(generation, sets), sets }];
      }),
    );
    const committed = live?.committed ?? null;
    const seal = committed === null ? undefined : parseSeal(live?.seals.get(committed) ?? "");
    const landmark: Landmark = {
      committed,
      entryId: seal?.id ?? null,
      held: seal?.held ?? false,
      digests,
    };
    replaceFile(`${run}/${LANDMARK_FILE}`, `${JSON.stringify(landmark)}\n`);
    return null;
  } catch (cause) {
    if (!(cause instanceof SeawallError)) throw cause;
    // The old one would blame others for what we have just done.
    dropFile(`${run}/${LANDMARK_FILE}`);
    return `${cause.message}; changes by others will not be noticed`;
  }
}

/** The maps of the generation and the static sets that it needs, unless they are too large to be read each time. */
function watchedSets(state: string, live: LiveState, generation: number): string[] {
  const entry = readHistoryEntry(state, parseSeal(live.seals.get(generation) ?? "")?.id);
  // One that was not counted may be of any size.
  const elements = entry?.elements ?? Number.POSITIVE_INFINITY;
  if (entry === undefined || elements > WATCHED_ELEMENTS_MAX) return [`g${generation}/admitted`];
  const maps = [...live.maps].filter((name) => name.startsWith(`g${generation}/`));
  return [...maps, ...entry.objects.filter((name) => /^prefixes[46]_/.test(name))].sort();
}
