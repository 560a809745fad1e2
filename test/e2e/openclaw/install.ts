// Installs the pinned OpenClaw once, beside nothing else: `node test/e2e/openclaw/install.ts` prints where it is.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { finished, start } from "../../support/host/command.ts";

const INSTALL_DEADLINE_MS = 10 * 60_000;
const SCRIPT_LIMIT_MS = 60_000;
const PINNED = ["package.json", "package-lock.json"] as const;
const SELF = fileURLToPath(import.meta.url);
/** Not below test/: what walks the tests must not walk 650 MB of packages, some of which have tests of their own. */
const CACHE = join(dirname(SELF), "../../../.cache/e2e");

if (import.meta.main) console.log(installLocked());

/**
 * Returns the `node_modules` that holds the pinned `openclaw`, installed when it is missing (650 MB; half a minute
 * with a warm npm cache). Two callers install once; an install that was killed leaves nothing that counts as one.
 * Throws when npm cannot fetch the packages.
 */
export async function installOpenClaw(): Promise<string> {
  const home = homeOf(fingerprint());
  if (existsSync(home)) return join(home, "node_modules");
  mkdirSync(CACHE, { recursive: true });
  // The kernel frees this lock however its holder ends.
  const child = start(["flock", join(CACHE, "lock"), process.execPath, SELF]);
  const result = await finished(child, INSTALL_DEADLINE_MS);
  if (result.code === 0) return result.stdout.trim();
  throw new Error(
    `openclaw was not installed into ${CACHE}; nothing else changed. Next: npm ping\n${result.stderr}`,
  );
}

/** INVARIANT: the final folder appears by rename(2), complete, so its existence is the stamp. */
function installLocked(): string {
  const home = homeOf(fingerprint());
  if (!existsSync(home)) {
    for (const name of readdirSync(CACHE)) {
      if (/^(openclaw|draft)-/.test(name)) rmSync(join(CACHE, name), { recursive: true, force: true });
    }
    const draft = join(CACHE, `draft-${process.pid}`);
    mkdirSync(draft, { mode: 0o755 });
    for (const name of PINNED) cpSync(join(dirname(SELF), name), join(draft, name));
    fillDraft(draft);
    renameSync(draft, home);
  }
  return join(home, "node_modules");
}

/**
 * npm 11 runs or holds back the scripts of four packages, as it is configured, so none is left to it. The one that is
 * needed is openclaw's own: it takes away the mark that says that its install never ended. koffi brings its addon as
 * a package, protobufjs only compares versions and @google/genai does nothing.
 */
function fillDraft(draft: string): void {
  // npm dies with its parent, so that it writes nothing into a draft that the next install clears away.
  // The agent runs this as another user.
  process.umask(0o022);
  must(
    [
      "setpriv",
      "--pdeathsig",
      "KILL",
      "npm",
      "ci",
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      "--loglevel=error",
    ],
    draft,
    INSTALL_DEADLINE_MS,
  );
  const script = join(draft, "node_modules/openclaw/scripts/postinstall-bundled-plugins.mjs");
  must([process.execPath, script], draft, SCRIPT_LIMIT_MS);
}

function must([program = "", ...args]: readonly string[], cwd: string, timeout: number): void {
  const path = `${dirname(process.execPath)}:${process.env["PATH"] ?? "/usr/bin:/bin"}`;
  const { status, stderr, error } = spawnSync(program, args, {
    cwd,
    timeout,
    encoding: "utf8",
    env: { ...process.env, PATH: path },
  });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${error?.message ?? stderr}`);
}

function fingerprint(): string {
  const hash = createHash("sha256");
  for (const name of PINNED) hash.update(readFileSync(join(dirname(SELF), name)));
  return hash.digest("hex").slice(0, 16);
}

function homeOf(mark: string): string {
  return join(CACHE, `openclaw-${mark}`);
}
