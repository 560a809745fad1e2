/** /usr/lib/seawall as a whole: made beside the old one, tried, and swapped with it in one step. */
import { chmodSync, chownSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { SeawallError } from "../core/base/error.ts";
import { runSync } from "../edge/host/command.ts";
import { libc } from "../edge/kernel/netlink/libc.ts";
import { LIBRARY } from "./payload.ts";
import { FOLDER_MODE, makeFolders, placeFile } from "./place.ts";
import type { TreeFile } from "./tree.ts";

/** LIMIT: how long the new program may take to say its version. */
const TRIAL_DEADLINE_MS = 20_000;
const STAGED = `${LIBRARY}.new`;
const STILL = "the Seawall that was installed before, if any, is as it was, and so are the rules";

export function isInLibrary(path: string): boolean {
  return path.startsWith(`${LIBRARY}/`);
}

/**
 * Puts the files of the library in place below `root`. Refuses, and changes nothing, when the program does not run
 * on this machine or is not the version that it should be.
 */
export function replaceLibrary(root: string, files: readonly TreeFile[], version: string): void {
  const [library, staged] = [join(root, LIBRARY), join(root, STAGED)];
  rmSync(staged, { recursive: true, force: true });
  makeFolders(root, dirname(LIBRARY));
  try {
    for (const folder of foldersOf(files)) {
      mkdirSync(folder === LIBRARY ? staged : join(staged, folder.slice(LIBRARY.length)));
    }
    for (const file of files) placeFile(join(staged, file.path.slice(LIBRARY.length)), file);
    for (const folder of foldersOf(files)) {
      const path = join(staged, folder.slice(LIBRARY.length));
      chmodSync(path, FOLDER_MODE);
      chownSync(path, 0, 0);
    }
    tryOut(staged, version);
    // A power cut after the swap must not find empty files.
    runSync("sync", ["-f", staged]);
  } catch (cause) {
    rmSync(staged, { recursive: true, force: true });
    throw cause;
  }
  swap(library, staged);
  try {
    tryOut(library, version);
  } catch (cause) {
    swap(library, staged);
    throw cause;
  } finally {
    rmSync(staged, { recursive: true, force: true });
  }
}

/** Runs the program in `folder` and compares what it says of itself. */
function tryOut(folder: string, version: string): void {
  const { status, stdout, stderr } = runSync(
    join(folder, "node"),
    [join(folder, "dist/cli/main.js"), "--version"],
    {
      deadlineMs: TRIAL_DEADLINE_MS,
    },
  );
  if (status === 0 && stdout.startsWith(`seawall ${version}\n`)) return;
  const said = (stderr.trim() || stdout.trim()).split("\n")[0] ?? "";
  throw new SeawallError("SEAWALL_INSTALL", `the new Seawall does not run on this machine: ${said}`, {
    still: STILL,
    help: `file ${folder}/node; uname -m`,
  });
}

/** INVARIANT: at no moment is there no library, but where the file system cannot swap. */
function swap(library: string, staged: string): void {
  if (!existsSync(library)) return renameSync(staged, library);
  if (libc().renameExchange(library, staged)) return;
  const old = `${library}.old`;
  rmSync(old, { recursive: true, force: true });
  renameSync(library, old);
  renameSync(staged, library);
  renameSync(old, staged);
}

/** The folders of the library, outermost first. */
function foldersOf(files: readonly TreeFile[]): readonly string[] {
  const folders = new Set<string>();
  for (const { path } of files) {
    for (let folder = dirname(path); folder.startsWith(LIBRARY); folder = dirname(folder))
      folders.add(folder);
  }
  return [...folders].sort();
}
