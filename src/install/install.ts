/** `seawall install`: the payload, its folders, the gate's user, the units; the same again changes nothing. */
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { SeawallError } from "../core/base/error.ts";
import { makeGateUser, refuseOtherAccount } from "./account.ts";
import { isInLibrary, replaceLibrary } from "./library.ts";
import { type Manifest, MANIFEST_PATH, manifestText, readManifest } from "./manifest.ts";
import { refuseDebianPackage } from "./owner.ts";
import { STATE_FOLDER_MODE, STATE_FOLDERS } from "./payload.ts";
import {
  isAnythingAt,
  makeFolders,
  modeOfPath,
  placeFile,
  placeLink,
  removeEmptyFolder,
  sha256OfPath,
} from "./place.ts";
import { readInstallTree, sha256OfTreeFile, type TreeFile } from "./tree.ts";
import { isSystemdRunning, systemctl, type UnitLink, unitLinks } from "./unit.ts";

export interface InstallOptions {
  /** "/", or the root of a tree that is not running. */
  readonly root: string;
  /** A checkout, or an unpacked npm package. */
  readonly source: string;
  readonly version: string;
  readonly isDry: boolean;
  /** Starts seawalld where systemd runs. */
  readonly isStarting: boolean;
}

export interface Installed {
  /** The version that was there. */
  readonly previous: string | null;
  /** Files that were written, by path; empty when everything was as it should be. */
  readonly written: readonly string[];
  /** Files of the version before that this one does not have. */
  readonly removed: readonly string[];
  /** Of the files that were written: those that somebody had changed. */
  readonly overwritten: readonly string[];
  readonly daemon: "started" | "by-hand" | "not-started";
  readonly trouble: readonly string[];
}

/** Installs below `root`. Refuses a machine that dpkg owns Seawall on, and files of somebody else in our places. */
export function install(options: InstallOptions): Installed {
  const { root } = options;
  refuseDebianPackage(
    root,
    "apt install ./seawall_*.deb (to upgrade), or apt remove seawall (to change over)",
  );
  const tree = readInstallTree(options.source);
  refuseOtherAccount(root);
  const old = readManifest(root);
  refuseForeign(root, tree, old);
  const changes = compare(root, tree, old);
  const found = {
    previous: old?.version ?? null,
    written: changes.different.map(({ path }) => path),
    removed: changes.stale.map(({ path }) => path),
    overwritten: changes.overwritten,
  };
  if (options.isDry) return { ...found, daemon: "not-started", trouble: [] };
  const { daemon, trouble } = startDaemon(options, placeAll(options, tree, old, changes));
  return { ...found, daemon, trouble: [...trouble, ...missingProtocols(root)] };
}

type KnownFile = Manifest["files"][number];

interface Changes {
  /** As they should be. */
  readonly wanted: readonly KnownFile[];
  readonly different: readonly TreeFile[];
  readonly stale: readonly KnownFile[];
  readonly overwritten: readonly string[];
}

function compare(root: string, tree: readonly TreeFile[], old: Manifest | null): Changes {
  const before = new Map(old?.files.map((file) => [file.path, file]));
  const wanted = tree.map((file) => ({ path: file.path, sha256: sha256OfTreeFile(file), mode: file.mode }));
  const shaNow = new Map(wanted.map(({ path }) => [path, sha256OfPath(join(root, path))]));
  const different = tree.filter((file, index) => {
    const now = join(root, file.path);
    return shaNow.get(file.path) !== wanted[index]?.sha256 || modeOfPath(now) !== file.mode;
  });
  const overwritten = different.flatMap(({ path }) => {
    const [now, was] = [shaNow.get(path), before.get(path)?.sha256];
    return typeof now === "string" && was !== undefined && now !== was ? [path] : [];
  });
  const stays = new Set(tree.map(({ path }) => path));
  const stale = (old?.files ?? []).filter(({ path }) => !stays.has(path));
  return { wanted, different, stale, overwritten };
}

/** Somebody else's file in one of our places is theirs: neither replaced now nor removed later. */
function refuseForeign(root: string, tree: readonly TreeFile[], old: Manifest | null): void {
  const ours = new Set(old?.files.map(({ path }) => path));
  const foreign = tree.find(({ path }) => !ours.has(path) && isAnythingAt(join(root, path)));
  if (foreign === undefined) return;
  throw new SeawallError("SEAWALL_INSTALL", `\`${foreign.path}\` is there and is not ours`, {
    still: "nothing was changed",
    help: `ls -l ${foreign.path}; dpkg -S ${foreign.path}`,
  });
}

/** Returns whether anything was written. */
function placeAll(
  { root, version }: InstallOptions,
  tree: readonly TreeFile[],
  old: Manifest | null,
  { wanted, different, stale }: Changes,
): boolean {
  const links = newLinks(root, tree, old);
  const outside = different.filter(({ path }) => !isInLibrary(path));
  const manifest: Manifest = {
    schema: "seawall/install-v1",
    version,
    files: [...wanted],
    links: [...(old?.links ?? []), ...links],
    folders: [...new Set([...(old?.folders ?? []), ...missingFolders(root, [...outside, ...links])])].sort(),
  };
  // INVARIANT: the manifest knows of a file before it is there and until it is gone: a kill leaves nothing unknown.
  const meanwhile = manifestFile({ ...manifest, files: [...wanted, ...stale] });
  const library = tree.filter(({ path }) => isInLibrary(path));
  if (different.length > outside.length) replaceLibrary(root, [...library, meanwhile], version);
  placeOutside(root, outside, links);
  for (const folder of STATE_FOLDERS) makeFolders(root, folder, STATE_FOLDER_MODE);
  makeGateUser(root);
  for (const { path, sha256 } of stale) {
    if (!isInLibrary(path) && sha256OfPath(join(root, path)) === sha256) rmSync(join(root, path));
  }
  const [kept, emptied] = splitFolders(manifest);
  for (const folder of emptied) removeEmptyFolder(join(root, folder));
  const last = manifestFile({ ...manifest, folders: kept });
  const isSame = sha256OfPath(join(root, MANIFEST_PATH)) === sha256OfTreeFile(last);
  if (!isSame) placeFile(join(root, MANIFEST_PATH), last);
  return different.length > 0 || !isSame;
}

/** Returns the folders that something of ours is in, and the others, innermost first. */
function splitFolders({ files, links, folders }: Manifest): readonly [string[], string[]] {
  const isUsed = (folder: string): boolean =>
    [...files, ...links].some(({ path }) => path.startsWith(`${folder}/`));
  return [folders.filter(isUsed), folders.filter((folder) => !isUsed(folder)).toReversed()];
}

function placeOutside(root: string, files: readonly TreeFile[], links: readonly UnitLink[]): void {
  for (const { path } of [...files, ...links]) makeFolders(root, dirname(path));
  for (const file of files) placeFile(join(root, file.path), file);
  for (const { path, target } of links) placeLink(join(root, path), target);
}

function manifestFile(manifest: Manifest): TreeFile {
  return { path: MANIFEST_PATH, mode: 0o644, content: { bytes: Buffer.from(manifestText(manifest)) } };
}

/** A unit that was enabled once is the operator's to disable: an upgrade does not enable it again. */
function newLinks(root: string, tree: readonly TreeFile[], old: Manifest | null): readonly UnitLink[] {
  const known = new Set(old?.links.map(({ path }) => path));
  return unitLinks(tree).filter(({ path }) => !known.has(path) && !isAnythingAt(join(root, path)));
}

function missingFolders(root: string, entries: readonly { readonly path: string }[]): string[] {
  const missing = new Set<string>();
  for (const { path } of entries) {
    for (let folder = dirname(path); folder !== "/"; folder = dirname(folder)) {
      if (!isAnythingAt(join(root, folder))) missing.add(folder);
    }
  }
  return [...missing];
}

/** nft looks up names of protocols where the smallest images have none; the .deb depends on it. */
function missingProtocols(root: string): string[] {
  if (isAnythingAt(join(root, "/etc/protocols"))) return [];
  return ["nft refuses rules without /etc/protocols: apt-get install netbase"];
}

function startDaemon(
  { root, isStarting }: InstallOptions,
  isChanged: boolean,
): Pick<Installed, "daemon" | "trouble"> {
  if (root !== "/") return { daemon: "not-started", trouble: [] };
  if (!isSystemdRunning()) return { daemon: "by-hand", trouble: [] };
  const trouble = isChanged ? [systemctl("daemon-reload")] : [];
  // Not seawall-boot: rules come into force by `apply`, with a lease, or at a boot.
  if (isStarting) trouble.push(systemctl(isChanged ? "restart" : "start", "seawalld.service"));
  const said = trouble.filter((one) => one !== null);
  return { daemon: isStarting && said.length === 0 ? "started" : "not-started", trouble: said };
}
