/** Puts configuration and state into one archive, consistent while seawalld runs. Changes nothing. */
import { lstatSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  type BackupFile,
  EVENTS_PATH,
  FILE_BYTES_MAX,
  FILES_MAX,
  isConfigName,
  isPlace,
  MANIFEST_PATH,
  renderManifest,
} from "../core/archive/manifest.ts";
import { SeawallError } from "../core/base/error.ts";
import { type Content, measure, writeArchive } from "../edge/archive/write.ts";
import { makeFolder, type Folders } from "../edge/state/folder.ts";
import { snapshotStore } from "../edge/store/snapshot.ts";

export interface BackupRequest {
  readonly folders: Folders;
  /** The archive that is made; nothing may be there yet. */
  readonly path: string;
  readonly version: string;
  readonly nowMs: number;
}

export interface BackupDone {
  readonly files: readonly BackupFile[];
  /** What is in our folders and not in the backup, each with why. */
  readonly omitted: readonly string[];
}

/**
 * Makes a backup: the configuration, the history of policies, the events, the audits, what `init` changed. Keys of
 * this machine, caches, and what is true of this kernel alone (landmark, containment) stay out. The caller holds the
 * lock of changes.
 */
export async function backUp({ folders, path, version, nowMs }: BackupRequest): Promise<BackupDone> {
  const omitted: string[] = [];
  makeFolder(folders.state);
  const snapshots = mkdtempSync(join(folders.state, SNAPSHOT));
  try {
    const found = [...configFiles(folders.config, omitted), ...stateFiles(folders.state, omitted)];
    const events = snapshotOf(folders.state, snapshots, omitted);
    if (events !== null) found.push({ path: EVENTS_PATH, file: events });
    if (found.length === 0) throw nothingThere(folders);
    const kept = found.flatMap((one) => keptOf(one, omitted)).slice(0, FILES_MAX);
    if (kept.length < found.length && kept.length === FILES_MAX) omitted.push(`more than ${FILES_MAX} files`);
    const files = kept.map(({ path: place, bytes, sha256, mode }) => ({ path: place, bytes, sha256, mode }));
    const taken = new Date(nowMs).toISOString();
    const manifest: Content = { path: MANIFEST_PATH, text: renderManifest({ version, taken, files }) };
    await writeArchive(path, [manifest, ...kept], nowMs);
    return { files, omitted };
  } finally {
    rmSync(snapshots, { recursive: true, force: true });
  }
}

const SNAPSHOT = ".backup-";

interface Found {
  readonly path: string;
  readonly file: string;
}

function keptOf({ path, file }: Found, omitted: string[]): (BackupFile & Found)[] {
  try {
    const measured = measure(file);
    if (path !== EVENTS_PATH && measured.bytes > FILE_BYTES_MAX) {
      omitted.push(`${file}: it has ${measured.bytes} bytes, at most ${FILE_BYTES_MAX} are kept`);
      return [];
    }
    return [{ path, file, ...measured }];
  } catch (cause) {
    omitted.push(`${file}: ${cause instanceof Error ? cause.message : String(cause)}`);
    return [];
  }
}

function configFiles(folder: string, omitted: string[], below = "config"): Found[] {
  return namesIn(folder).flatMap((name): Found[] => {
    if (!isConfigName(name)) return [];
    const file = join(folder, name);
    const path = `${below}/${name}`;
    const state = lstatSync(file, { throwIfNoEntry: false });
    if (state?.isDirectory() === true) return configFiles(file, omitted, path);
    if (state?.isFile() === true && isPlace(path)) return [{ path, file }];
    omitted.push(`${file}: it is no regular file, or lies too deep`);
    return [];
  });
}

function stateFiles(state: string, omitted: string[]): Found[] {
  const below = ["history", "audit"].flatMap((folder) =>
    namesIn(join(state, folder)).map((name) => `${folder}/${name}`),
  );
  return [...below, "init.json"].flatMap((place): Found[] => {
    const file = join(state, place);
    const found = lstatSync(file, { throwIfNoEntry: false });
    if (found === undefined || !isPlace(`state/${place}`)) return [];
    if (found.isFile()) return [{ path: `state/${place}`, file }];
    omitted.push(`${file}: it is no regular file`);
    return [];
  });
}

/** A store that cannot be read is no reason to keep nothing else. */
function snapshotOf(state: string, into: string, omitted: string[]): string | null {
  const target = join(into, "events.db");
  try {
    return snapshotStore(state, target) ? target : null;
  } catch (cause) {
    if (!(cause instanceof SeawallError)) throw cause;
    omitted.push(`the events: ${cause.message}`);
    return null;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function nothingThere({ config, state }: Folders): SeawallError {
  return new SeawallError(
    "SEAWALL_NOT_FOUND",
    `neither \`${config}\` nor \`${state}\` holds anything to keep`,
    {
      help: "seawall init",
    },
  );
}
