/** What a backup says of itself, in its first entry, and where each of its files may go. */
import { z } from "zod";

export const MANIFEST_PATH = "manifest.json";
const BACKUP_SCHEMA = "seawall/backup";
/** Counts up when a version writes what an older one would not understand. */
export const BACKUP_FORMAT = 1;

/** LIMIT: bytes of the manifest itself. */
export const MANIFEST_BYTES_MAX = 1024 * 1024;
/** LIMIT: files of a backup: the configuration, 50 policies in 4 files each, 60 audits, the events. */
export const FILES_MAX = 1_000;
/** LIMIT: bytes of one file; a list of prefixes may have 16 MiB. */
export const FILE_BYTES_MAX = 32 * 1024 * 1024;
/** LIMIT: bytes of the events; retention keeps them below 512 MiB. */
export const EVENTS_BYTES_MAX = 2 * 1024 * 1024 * 1024;

export const EVENTS_PATH = "state/events.db";

const FILE = z.strictObject({
  path: z.string().max(250),
  bytes: z.int().min(0).max(EVENTS_BYTES_MAX),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Permissions of a file of the configuration; the others are root's alone. */
  mode: z.int().min(0).max(0o777),
});
const MANIFEST = z.strictObject({
  schema: z.literal(BACKUP_SCHEMA),
  format: z.literal(BACKUP_FORMAT),
  version: z.string(),
  taken: z.iso.datetime(),
  files: z.array(FILE).max(FILES_MAX),
});
/** What every version has to be able to read of every other. */
const ANY_MANIFEST = z.object({
  schema: z.literal(BACKUP_SCHEMA),
  format: z.int().min(1),
  version: z.string().regex(/^\d{1,5}\.\d{1,5}\.\d{1,5}(?:-[0-9A-Za-z.-]{1,40})?$/),
});

export type BackupFile = z.infer<typeof FILE>;
export type Manifest = z.infer<typeof MANIFEST>;

/** Returns the text of a manifest. */
export function renderManifest(wanted: Omit<Manifest, "schema" | "format">): string {
  return `${JSON.stringify({ schema: BACKUP_SCHEMA, format: BACKUP_FORMAT, ...wanted } satisfies Manifest, null, 1)}\n`;
}

export type ManifestReading =
  | { readonly ok: true; readonly manifest: Manifest }
  | { readonly ok: false; readonly problem: string; readonly help: string | null };

/** Returns the manifest. Refuses what is none, what a newer version wrote, and files that have no place here. */
export function parseManifest(text: string, version: string): ManifestReading {
  const value = jsonOf(text);
  const any = ANY_MANIFEST.safeParse(value);
  if (!any.success) return refused("its manifest cannot be read");
  if (any.data.format > BACKUP_FORMAT || isNewer(any.data.version, version)) {
    return refused(
      `it was made by seawall ${any.data.version}, and this is ${version}: an older version may not understand all of it`,
      `install seawall ${any.data.version} or later, and restore with that`,
    );
  }
  const read = MANIFEST.safeParse(value);
  if (!read.success) return refused("its manifest cannot be read");
  const { files } = read.data;
  const stray = files.find(({ path }) => !isPlace(path));
  if (stray !== undefined)
    return refused(`it holds \`${stray.path}\`, which has no place in Seawall's folders`);
  const large = files.find(({ path, bytes }) => path !== EVENTS_PATH && bytes > FILE_BYTES_MAX);
  if (large !== undefined)
    return refused(`\`${large.path}\` has ${large.bytes} bytes, at most ${FILE_BYTES_MAX}`);
  if (new Set(files.map(({ path }) => path)).size < files.length) return refused("it holds a file twice");
  return { ok: true, manifest: read.data };
}

function refused(problem: string, help: string | null = null): ManifestReading {
  return { ok: false, problem, help };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** LIMIT: folders below the configuration. */
const DEPTH_MAX = 4;
const STATE_PLACES = [
  /^history\/\d{6}\.(?:json|yaml|drop-ins\.json|resolved)$/,
  /^audit\/\d{8}T\d{6}\.\d{3}Z\.json$/,
  /^init\.json$/,
  /^events\.db$/,
];

/**
 * SECURITY: whether a path is one that a backup may have. Nothing else is ever written, so no name leads out of our
 * folders, hides in them, or replaces what is not the operator's own.
 */
export function isPlace(path: string): boolean {
  const [folder, ...parts] = path.split("/");
  if (folder === "state") return STATE_PLACES.some((place) => place.test(parts.join("/")));
  if (folder !== "config" || parts.length === 0 || parts.length > DEPTH_MAX) return false;
  return parts.every(isConfigName);
}

/** Whether a file or folder of the configuration is kept: what begins with a dot is an editor's or our own. */
export function isConfigName(name: string): boolean {
  return (
    /^(?!\.)[^\u0000-\u001f\u007f/\\]{1,200}$/u.test(name) &&
    !name.startsWith(FORMER) &&
    !name.endsWith(".new")
  );
}

/** What the former files are kept in begins so. */
export const FORMER = "before-restore-";

function isNewer(left: string, right: string): boolean {
  const [a, b] = [left, right].map((version) => (version.split("-")[0] ?? "").split(".").map(Number));
  for (let at = 0; at < 3; at += 1) {
    const difference = (a?.[at] ?? 0) - (b?.[at] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
