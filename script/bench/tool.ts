/**
 * Programs that only a benchmark needs. What the machine lacks is downloaded from its package archive and unpacked
 * into a folder of this checkout: nothing is installed, no service is started.
 */
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { hasProgram, run } from "./command.ts";

const DOWNLOAD_DEADLINE_MS = 120_000;

/** Returns the folder with the unpacked programs, or null when the machine has them all. Throws with a next step. */
export function prepareTools(
  root: string,
  tools: Readonly<Record<string, string>>,
  say: (line: string) => void,
): string | null {
  const missing = Object.keys(tools).filter((program) => !hasProgram(program));
  if (missing.length === 0) return null;
  const folder = join(root, ".cache/bench-tools");
  if (missing.every((program) => isUnpacked(folder, program))) return folder;
  const packages = missing.map((program) => tools[program] ?? program);
  say(`Downloading ${packages.join(", ")} from this machine's package archive into .cache/bench-tools;`);
  say("  nothing is installed and no service is started.");
  download(folder, packages);
  return folder;
}

/** Returns the environment in which the unpacked programs find their libraries. */
export function toolEnvironment(folder: string | null): Readonly<Record<string, string>> {
  if (folder === null) return {};
  const libraries = readdirSync(join(folder, "root/usr/lib"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name.includes("linux-gnu"))
    .map((entry) => join(folder, "root/usr/lib", entry.name));
  return { LD_LIBRARY_PATH: libraries.join(":") };
}

/** Returns how to call a program: the machine's own, or the unpacked one. */
export function toolPath(folder: string | null, program: string): string {
  const unpacked = folder === null ? [] : unpackedPaths(folder, program).filter((path) => existsSync(path));
  return unpacked[0] ?? program;
}

function isUnpacked(folder: string, program: string): boolean {
  return unpackedPaths(folder, program).some((path) => existsSync(path));
}

function unpackedPaths(folder: string, program: string): string[] {
  return ["usr/sbin", "usr/bin"].map((place) => join(folder, "root", place, program));
}

function download(folder: string, packages: readonly string[]): void {
  const archives = join(folder, "archives");
  mkdirSync(join(archives, "partial"), { recursive: true });
  const args = ["install", "-y", "-q", "--download-only", "--no-install-recommends"];
  const options = ["-o", `Dir::Cache::archives=${archives}`, "-o", "Acquire::http::Timeout=20"];
  const get = (): string =>
    run(["apt-get", ...args, ...options, ...packages], { deadlineMs: DOWNLOAD_DEADLINE_MS });
  try {
    get();
  } catch {
    run(["apt-get", "update", "-q"], { deadlineMs: DOWNLOAD_DEADLINE_MS });
    get();
  }
  for (const archive of readdirSync(archives).filter((entry) => entry.endsWith(".deb"))) {
    run(["dpkg", "-x", join(archives, archive), join(folder, "root")]);
  }
}
