import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

export interface Change {
  /** As the machine sees it. */
  readonly path: string;
  readonly what: "new" | "gone" | "content" | "mode" | "owner" | "kind";
}

export interface Overlay {
  readonly upper: string;
  readonly merged: string;
  readonly lower: string;
}

/** Mounted over; not of the tree. */
const NOT_OF_THE_TREE = /^\/(proc|sys|dev|run)$/;

/**
 * Returns what differs between an overlay and what it lies over, sorted by path. Only what was written to is looked
 * at: everything else is the lower tree itself. A new folder is named once, not with all that is in it.
 */
export function changesIn(overlay: Overlay): readonly Change[] {
  return within(overlay, "/").sort((a, b) => (a.path < b.path ? -1 : 1));
}

function within(overlay: Overlay, folder: string): Change[] {
  const touched = readdirSync(join(overlay.upper, folder)).map((name) => join(folder, name));
  const [now, before] = [overlay.merged, overlay.lower].map(
    (root) => new Set(readdirSync(join(root, folder))),
  );
  const gone = [...(before ?? [])]
    .filter((name) => now?.has(name) === false)
    .map((name) => join(folder, name));
  return [
    ...gone.map((path): Change => ({ path, what: "gone" })),
    ...touched
      .filter((path) => !NOT_OF_THE_TREE.test(path) && !gone.includes(path))
      .flatMap((path) => changesAt(overlay, path)),
  ];
}

function changesAt(overlay: Overlay, path: string): Change[] {
  const now = lstatSync(join(overlay.merged, path), { throwIfNoEntry: false });
  const before = lstatSync(join(overlay.lower, path), { throwIfNoEntry: false });
  // A whiteout over nothing: made and removed again.
  if (now === undefined) return before === undefined ? [] : [{ path, what: "gone" }];
  if (before === undefined) return [{ path, what: "new" }];
  if ((now.mode & 0o170000) !== (before.mode & 0o170000)) return [{ path, what: "kind" }];
  const found: Change[] = [];
  if (now.mode !== before.mode) found.push({ path, what: "mode" });
  if (now.uid !== before.uid || now.gid !== before.gid) found.push({ path, what: "owner" });
  if (now.isDirectory()) return [...found, ...within(overlay, path)];
  if (contentOf(overlay.merged, path) !== contentOf(overlay.lower, path))
    found.push({ path, what: "content" });
  return found;
}

function contentOf(root: string, path: string): string {
  const stat = lstatSync(join(root, path));
  if (stat.isSymbolicLink()) return readlinkSync(join(root, path));
  if (!stat.isFile()) return String(stat.rdev);
  return createHash("sha256")
    .update(readFileSync(join(root, path)))
    .digest("hex");
}
