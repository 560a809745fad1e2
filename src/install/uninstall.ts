/** `seawall uninstall`: exactly what the manifest says, and nothing that somebody changed since. */
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { SeawallError } from "../core/base/error.ts";
import { removeGateUser } from "./account.ts";
import { detachUnits } from "./attach.ts";
import { type Manifest, MANIFEST_PATH, readManifest } from "./manifest.ts";
import { refuseDebianPackage } from "./owner.ts";
import { LIBRARY, STATE_FOLDERS, UNITS } from "./payload.ts";
import { linkTarget, removeEmptyFolder, sha256OfPath } from "./place.ts";
import { endProcesses } from "./running.ts";
import { isSystemdRunning, systemctl } from "./unit.ts";

export interface UninstallOptions {
  readonly root: string;
  /** State and policy go too, and the gate's user. */
  readonly isPurging: boolean;
  /** Takes our table out of the kernel; called while seawalld still runs, and only for the running machine. */
  readonly takeDown: () => Promise<void>;
}

export interface Uninstalled {
  readonly version: string;
  readonly removed: number;
  /** Files that were changed since they were installed. */
  readonly left: readonly string[];
  readonly trouble: readonly string[];
}

/** Uninstalls what `seawall install` made below `root`. Refuses where it made nothing. */
export async function uninstall({ root, isPurging, takeDown }: UninstallOptions): Promise<Uninstalled> {
  refuseDebianPackage(root, isPurging ? "apt purge seawall" : "apt remove seawall");
  const manifest = readManifest(root);
  if (manifest === null) {
    throw new SeawallError(
      "SEAWALL_NOT_FOUND",
      "`seawall install` has not installed Seawall on this machine",
      {
        still: "nothing was changed",
        help: "seawall down (from a checkout: takes the rules out of the kernel)",
      },
    );
  }
  const trouble: (string | null)[] = [];
  if (root === "/") {
    await takeDown();
    if (isSystemdRunning()) trouble.push(systemctl("stop", ...UNITS.toReversed()));
    trouble.push(await endProcesses());
  }
  detachUnits(root);
  const left = removeFiles(root, manifest);
  if (root === "/" && isSystemdRunning()) trouble.push(systemctl("daemon-reload"));
  if (root === "/") rmSync("/run/seawall", { recursive: true, force: true });
  if (isPurging) {
    for (const folder of STATE_FOLDERS) rmSync(join(root, folder), { recursive: true, force: true });
    trouble.push(removeGateUser(root));
  }
  return {
    version: manifest.version,
    removed: manifest.files.length - left.length,
    left,
    trouble: trouble.filter((one) => one !== null),
  };
}

/** Returns the files that are left because they were changed. The manifest goes last: one that is killed goes on. */
function removeFiles(root: string, { files, links, folders }: Manifest): string[] {
  const left: string[] = [];
  for (const { path, target } of links) {
    if (linkTarget(join(root, path)) === target) rmSync(join(root, path));
  }
  for (const { path, sha256 } of files) {
    const now = sha256OfPath(join(root, path));
    if (now === sha256) rmSync(join(root, path));
    else if (now !== null) left.push(path);
  }
  const inLibrary = files.map(({ path }) => dirname(path)).filter((folder) => folder.startsWith(LIBRARY));
  rmSync(join(root, MANIFEST_PATH));
  for (const folder of innermostFirst([...inLibrary.flatMap(upToLibrary), ...folders])) {
    removeEmptyFolder(join(root, folder));
  }
  return left;
}

function upToLibrary(folder: string): string[] {
  return folder === LIBRARY ? [folder] : [folder, ...upToLibrary(dirname(folder))];
}

function innermostFirst(folders: readonly string[]): string[] {
  return [...new Set(folders)].sort((a, b) => b.length - a.length);
}
