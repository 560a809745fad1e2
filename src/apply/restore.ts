/** Puts a backup in the place of configuration and state, all of it or nothing. The kernel is not touched. */
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { EVENTS_PATH, FORMER, isConfigName, type Manifest } from "../core/archive/manifest.ts";
import { SeawallError } from "../core/base/error.ts";
import { unpack } from "../edge/archive/read.ts";
import { readLive } from "../edge/kernel/live.ts";
import { type Folders, makeFolder } from "../edge/state/folder.ts";
import { entryStem, readHistoryEntry } from "../edge/state/history-entry.ts";
import { type Move, makeMoves, undoMoves } from "../edge/state/swap.ts";
import { syncFolder } from "../edge/state/replace-file.ts";
import { problemOfSnapshot } from "../edge/store/snapshot.ts";
import { parseSeal } from "./seal.ts";

export interface RestoreRequest {
  readonly folders: Folders;
  readonly path: string;
  readonly version: string;
  /** Looks at all of it and changes nothing. */
  readonly dryRun: boolean;
  readonly nowMs: number;
}

export interface RestoreDone {
  readonly manifest: Manifest;
  /** Where the former files are now. */
  readonly former: readonly string[];
  /** Policies of the present history that were kept because the kernel holds them. */
  readonly inForce: readonly number[];
}

/** LIMIT: former states kept in each folder; older ones are removed. */
const FORMER_MAX = 3;
const STAGE = ".restore-";
/** Modes of what is the configuration's; everything else is root's alone. */
const CONFIG_MODES_MAX = 0o644;

/**
 * Looks at a whole backup and then puts it in place. Groups that it does not have (no events, say) stay as they are.
 * Refuses with SEAWALL_BACKUP what is not whole, not ours, or newer; then nothing is changed. The caller holds the
 * lock of changes.
 */
export async function restoreBackup(request: RestoreRequest): Promise<RestoreDone> {
  const { folders, path, version, dryRun, nowMs } = request;
  makeFolder(folders.state);
  undoMoves(folders.state);
  removeStages(folders);
  const stage = mkdtempSync(join(folders.state, STAGE));
  try {
    const manifest = await unpack(path, stage, version);
    refuseUnusable(stage, path, manifest);
    if (dryRun) return { manifest, former: [], inForce: [] };
    const inForce = keepInForce(folders.state, stage);
    const former = putInPlace(folders, stage, manifest, nowMs);
    for (const folder of [folders.state, folders.config]) removeOldest(folder);
    return { manifest, former, inForce };
  } finally {
    removeStages(folders);
  }
}

/** What no checksum shows: a backup is as good as whoever made it. */
function refuseUnusable(stage: string, path: string, { files }: Manifest): void {
  const places = files.map((file) => file.path);
  const entries = places.flatMap((place) => /^state\/history\/(\d{6})\.json$/.exec(place)?.[1] ?? []);
  const broken = entries.find((id) => readHistoryEntry(join(stage, "state"), Number(id)) === undefined);
  const problem =
    broken !== undefined
      ? `policy ${Number(broken)} of its history cannot be read`
      : places.includes(EVENTS_PATH)
        ? problemOfSnapshot(join(stage, EVENTS_PATH))
        : null;
  if (problem === null) return;
  throw new SeawallError("SEAWALL_BACKUP", `the backup \`${path}\` cannot be used: ${problem}`, {
    still: "nothing was changed",
    help: "use another backup",
  });
}

/** The kernel holds policies by their number, so what it holds keeps its name and its meaning: the gates live by it. */
function keepInForce(state: string, stage: string): number[] {
  const history = join(stage, "state", "history");
  if (!existsSync(history)) return [];
  const held = [...(readLive()?.seals.values() ?? [])].flatMap((seal) => parseSeal(seal)?.id ?? []);
  // A panic goes back to the policy before it.
  const before = held.flatMap((id) => readHistoryEntry(state, id)?.before ?? []);
  return [...new Set([...held, ...before])].filter((id) => {
    const own = namesIn(join(state, "history")).filter((name) => name.startsWith(`${entryStem(id)}.`));
    if (own.length === 0) return false;
    for (const name of namesIn(history))
      if (name.startsWith(`${entryStem(id)}.`)) rmSync(join(history, name), { force: true });
    for (const name of own) cpSync(join(state, "history", name), join(history, name));
    return true;
  });
}

function putInPlace(folders: Folders, stage: string, manifest: Manifest, nowMs: number): string[] {
  const stamp = new Date(nowMs).toISOString().replaceAll(/[-:]/g, "");
  const former = (folder: string): string => join(folder, `${FORMER}${stamp}`);
  const moves: Move[] = stateMoves(folders.state, join(stage, "state"), former(folders.state));
  if (existsSync(join(stage, "config"))) {
    makeFolder(folders.config);
    const beside = stageConfig(folders.config, stage, manifest);
    moves.push(...configMoves(folders.config, beside, former(folders.config)));
  }
  const kept = [folders.state, folders.config].map(former);
  const used = kept.filter((folder) => moves.some(({ to }) => to.startsWith(`${folder}/`)));
  for (const folder of used) mkdirSync(folder, { mode: 0o700 });
  makeMoves(folders.state, moves);
  return used;
}

const EVENT_FILES = ["events.db", "events.db-wal", "events.db-shm"];

function stateMoves(state: string, stage: string, former: string): Move[] {
  return namesIn(stage).flatMap((name) => {
    // INVARIANT: a log never stays behind: beside another database it would be taken for that one's.
    const old = name === "events.db" ? EVENT_FILES : [name];
    const away = old
      .filter((one) => existsSync(join(state, one)))
      .map((one) => ({ from: join(state, one), to: join(former, one) }));
    return [...away, { from: join(stage, name), to: join(state, name) }];
  });
}

function configMoves(config: string, stage: string, former: string): Move[] {
  const away = namesIn(config)
    .filter(isConfigName)
    .map((name) => ({ from: join(config, name), to: join(former, name) }));
  return [...away, ...namesIn(stage).map((name) => ({ from: join(stage, name), to: join(config, name) }))];
}

/** The configuration may be on another disk than the state, so it is copied before anything moves. */
function stageConfig(config: string, stage: string, { files }: Manifest): string {
  const beside = mkdtempSync(join(config, STAGE));
  cpSync(join(stage, "config"), beside, { recursive: true });
  for (const { path, mode } of files) {
    const [folder, ...parts] = path.split("/");
    if (folder === "config") chmodSync(join(beside, ...parts), (mode & CONFIG_MODES_MAX) | 0o600);
  }
  for (const name of namesIn(beside)) {
    if (lstatSync(join(beside, name)).isDirectory()) chmodSync(join(beside, name), 0o755);
  }
  syncFolder(beside);
  return beside;
}

/** What a kill left behind. */
function removeStages({ config, state }: Folders): void {
  for (const folder of [config, state]) {
    for (const name of namesIn(folder))
      if (name.startsWith(STAGE)) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

function removeOldest(folder: string): void {
  const former = namesIn(folder).filter((name) => name.startsWith(FORMER));
  for (const name of former.slice(0, -FORMER_MAX))
    rmSync(join(folder, name), { recursive: true, force: true });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
