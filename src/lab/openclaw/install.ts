/**
 * Installs the pinned OpenClaw once, beside nothing else: the lab and the end-to-end tests share it.
 * `node src/lab/openclaw/install.ts` installs it too and prints where it is.
 */
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { SeawallError } from "../../core/base/error.ts";
import { findProgram, runSync, start } from "../../edge/host/command.ts";
import pinned from "./pinned/package.json" with { type: "json" };

export interface InstallOptions {
  /** Told before anything is fetched: how much, and where to. Not called when it is there already. */
  readonly say: (line: string) => void;
  /** Ends an install that is under way; it then counts as none. */
  readonly signal?: AbortSignal;
  /** The folder it is kept in; the checkout's own when absent. */
  readonly cache?: string;
}

export const OPENCLAW_VERSION = pinned.dependencies.openclaw;

const DOWNLOAD_MB = 160;
const DISK_MB = 650;
const INSTALL_DEADLINE_MS = 10 * 60_000;
const SCRIPT_DEADLINE_MS = 60_000;
const STDERR_CHARS_MAX = 20_000;
const SELF = fileURLToPath(import.meta.url);
const PINNED = join(dirname(SELF), "pinned");
const PINNED_FILES = ["package.json", "package-lock.json"] as const;
/** Not below src or test: what walks those must not walk 650 MB of packages. The same from src and from dist. */
const CACHE = join(dirname(SELF), "../../../.cache/e2e");
/** What npm must know of its caller: where its settings are, and how the registry is reached. */
const OF_CALLER =
  /^(HOME|npm_config_.+|(https?|no)_proxy|noproxy|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|npm_execpath)$/i;

if (import.meta.main) main(process.argv[2] ?? CACHE);

/**
 * Returns the `node_modules` that holds the pinned `openclaw`, installed when it is missing. Two callers install
 * once; an install that was killed leaves nothing that counts as one. It ends with its caller, also by SIGKILL.
 * Refuses (SEAWALL_LAB) when npm is missing or cannot fetch the packages.
 */
export async function installOpenClaw({ say, signal, cache = CACHE }: InstallOptions): Promise<string> {
  const home = homeIn(cache);
  if (existsSync(home)) return join(home, "node_modules");
  say(
    `installing OpenClaw ${OPENCLAW_VERSION} from the npm registry, once: about ${DOWNLOAD_MB} MB to download, ${DISK_MB} MB in ${cache}`,
  );
  try {
    mkdirSync(cache, { recursive: true });
  } catch (cause) {
    throw refused(cache, cause instanceof Error ? cause.message : String(cause));
  }
  // The kernel frees the lock however its holder ends; without a fork, what holds it is what we end.
  const locked = ["flock", "--no-fork", join(cache, "lock"), process.execPath, SELF, cache];
  const { status, stdout, stderr } = await ended(locked, signal);
  if (status === 0) return stdout.trim();
  throw refused(cache, signal?.aborted === true ? "it was stopped" : reasonIn(stderr));
}

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function ended([program = "", ...args]: readonly string[], signal: AbortSignal | undefined): Promise<Ended> {
  const child = start(program, args, ["ignore", "pipe", "pipe"], ofCaller());
  const text = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream]?.setEncoding("utf8").on("data", (chunk: string) => {
      text[stream] = (text[stream] + chunk).slice(-STDERR_CHARS_MAX);
    });
  }
  const stop = (): void => void child.kill("SIGKILL");
  const deadline = setTimeout(stop, INSTALL_DEADLINE_MS);
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted === true) stop();
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => {
      clearTimeout(deadline);
      signal?.removeEventListener("abort", stop);
      resolve({ status, ...text });
    });
  });
}

function refused(cache: string, why: string): SeawallError {
  return new SeawallError("SEAWALL_LAB", `OpenClaw ${OPENCLAW_VERSION} was not installed: ${why}`, {
    still: `nothing was started, and nothing in ${cache} counts as installed`,
    help: "npm ping (the lab without --openclaw needs no network)",
  });
}

/** The line of npm that says why; its last one when none does. */
function reasonIn(stderr: string): string {
  const lines = stderr
    .split("\n")
    .map((line) => line.replace(/^npm (error|ERR!) (FetchError: )?/, "").trim());
  const network = lines.find((line) => line.includes("reason:"));
  return (
    network ?? lines.findLast((line) => line !== "" && !/complete log|debug-0/.test(line)) ?? "npm ended"
  );
}

/** The process that holds the lock. */
function main(cache: string): void {
  try {
    process.stdout.write(`${installLocked(cache)}\n`);
  } catch (cause) {
    process.stderr.write(`${cause instanceof Error ? cause.message : String(cause)}\n`);
    process.exitCode = 1;
  }
}

/** INVARIANT: the final folder appears by rename(2), complete, so its existence is the stamp. */
function installLocked(cache: string): string {
  const home = homeIn(cache);
  if (!existsSync(home)) {
    mkdirSync(cache, { recursive: true });
    for (const name of readdirSync(cache)) {
      if (/^(openclaw|draft)-/.test(name)) rmSync(join(cache, name), { recursive: true, force: true });
    }
    const draft = join(cache, `draft-${process.pid}`);
    // The agent reads this as another user.
    process.umask(0o022);
    mkdirSync(draft, { mode: 0o755 });
    for (const name of PINNED_FILES) cpSync(join(PINNED, name), join(draft, name));
    try {
      fillDraft(draft);
      renameSync(draft, home);
    } finally {
      rmSync(draft, { recursive: true, force: true });
    }
  }
  return join(home, "node_modules");
}

/**
 * npm 11 runs or holds back the scripts of four packages, as it is configured, so none is left to it. The one that is
 * needed is openclaw's own: it takes away the mark that says that its install never ended. koffi brings its addon as
 * a package, protobufjs only compares versions and @google/genai does nothing.
 */
function fillDraft(draft: string): void {
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const impatient = ["--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"];
  must(draft, [...npm(), "ci", ...quiet, ...impatient], INSTALL_DEADLINE_MS);
  const script = join(draft, "node_modules/openclaw/scripts/postinstall-bundled-plugins.mjs");
  must(draft, [process.execPath, script], SCRIPT_DEADLINE_MS);
}

/** The npm that started us, else the system's, else the one that came with this Node. */
function npm(): readonly string[] {
  const ours = process.env["npm_execpath"];
  if (ours?.endsWith("npm-cli.js") === true && existsSync(ours)) return [process.execPath, ours];
  const found = findProgram("npm") ?? join(dirname(process.execPath), "npm");
  if (existsSync(found)) return [found];
  throw new Error("npm was not found; apt-get install npm, or: sudo npm start -- --openclaw");
}

/** Runs words in a folder. They die with us: nothing is written into a draft that the next one clears away. */
function must(folder: string, words: readonly string[], deadlineMs: number): void {
  const path = `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`;
  const [program = "", ...args] = words;
  const { status, stderr } = runSync(program, args, {
    deadlineMs,
    cwd: folder,
    env: { ...ofCaller(), PATH: path },
  });
  if (status !== 0) throw new Error(stderr.trim());
}

function ofCaller(): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name]) => OF_CALLER.test(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, value ?? ""]));
}

function homeIn(cache: string): string {
  const hash = createHash("sha256");
  for (const name of PINNED_FILES) hash.update(readFileSync(join(PINNED, name)));
  return join(cache, `openclaw-${hash.digest("hex").slice(0, 16)}`);
}
