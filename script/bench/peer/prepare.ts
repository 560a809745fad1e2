/**
 * The peer from npm, `@anthropic-ai/sandbox-runtime`: a package of its own beside this file, so that neither the
 * product nor its development needs it. It is installed when its benchmark is asked for.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../command.ts";

const INSTALL_DEADLINE_MS = 5 * 60_000;
const STAMP = "node_modules/.seawall-stamp";
const PACKAGE = "@anthropic-ai/sandbox-runtime";

/**
 * Installs the peer as its lockfile says, without running its scripts, unless that was done. Throws with what npm said
 * and a next step.
 */
export function preparePeer(root: string, say: (line: string) => void): void {
  const folder = peerFolder(root);
  const lockfile = readFileSync(join(folder, "package-lock.json"));
  const wanted = createHash("sha256").update(lockfile).digest("hex");
  const stamp = join(folder, STAMP);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  say(`Installing ${PACKAGE} (19 MB) from npm into script/bench/peer/node_modules.`);
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"];
  try {
    run(["npm", "ci", "--prefix", folder, ...flags], { deadlineMs: INSTALL_DEADLINE_MS });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${why}. Next: npm ci --ignore-scripts --prefix ${folder}`, { cause: error });
  }
  // INVARIANT: written last, so that an installation that was cut off is made again.
  writeFileSync(stamp, wanted);
}

/** Returns the folder of the installed package. Throws when it is not there. */
export function peerPackage(root: string): string {
  const folder = join(peerFolder(root), "node_modules", PACKAGE);
  if (existsSync(folder)) return folder;
  throw new Error(`${PACKAGE} is not installed. Next: npm ci --ignore-scripts --prefix ${peerFolder(root)}`);
}

/** Returns the version that is installed. */
export function peerVersion(root: string): string {
  const text = readFileSync(join(peerPackage(root), "package.json"), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}

function peerFolder(root: string): string {
  return join(root, "script/bench/peer");
}
