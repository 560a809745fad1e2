/** OpenClaw's own command line, run as the agent's user: its files are that user's to write, so never as root. */
import { accessSync, constants, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { type CommandResult, runSync } from "../host/command.ts";
import type { FoundInstance } from "./instance.ts";

const DEADLINE_MS = 120_000;
const SYSTEM_PATHS = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
/** Where npm, pnpm and version managers put programs below a home. */
const HOME_FOLDERS = [".local/bin", ".npm-global/bin", ".openclaw/bin", ".local/share/pnpm", ".volta/bin"];

/** Returns the program `openclaw` of an instance, or null when it is not where such programs are. */
export function findOpenclaw(instance: FoundInstance): string | null {
  return (
    pathFolders(instance)
      .map((folder) => join(folder, "openclaw"))
      .find(isProgram) ?? null
  );
}

/**
 * Runs `openclaw ARGS` as the instance's own user and returns what it said. SECURITY: with none of root's
 * groups, environment, descriptors or terminal (a session of its own: no TIOCSTI), with no way to gain more
 * rights, and for DEADLINE_MS at most. What it prints is the agent's word.
 */
export function runOpenclaw(
  instance: FoundInstance,
  program: string,
  args: readonly string[],
): CommandResult {
  const { uid, configPath, stateFolder } = instance;
  const account = accountOf(uid);
  const env = {
    PATH: pathFolders(instance).join(":"),
    HOME: account.home,
    USER: account.user,
    LOGNAME: account.user,
    OPENCLAW_CONFIG_PATH: configPath,
    OPENCLAW_STATE_DIR: stateFolder,
    NO_COLOR: "1",
  };
  const as =
    process.geteuid?.() === uid
      ? []
      : ["setpriv", `--reuid=${uid}`, `--regid=${account.gid}`, "--clear-groups", "--no-new-privs", "--"];
  return runSync("setsid", ["--wait", ...as, "env", "--chdir=/", program, ...args], {
    env,
    deadlineMs: DEADLINE_MS,
  });
}

function pathFolders(instance: FoundInstance): string[] {
  const { home } = accountOf(instance.uid);
  const own = instance.variables.get("PATH")?.split(":") ?? [];
  const folders = [
    ...nodeFolder(instance.pid),
    ...own,
    ...HOME_FOLDERS.map((folder) => join(home, folder)),
    ...versionFolders(join(home, ".nvm/versions/node")),
    ...SYSTEM_PATHS,
    dirname(process.execPath),
  ];
  return [...new Set(folders.filter((folder) => folder.startsWith("/") && !folder.includes(":")))];
}

/** The Node that runs the gateway: the program `openclaw` stands beside it and is started by it. */
function nodeFolder(pid: number | null): string[] {
  if (pid === null) return [];
  try {
    return [dirname(readlinkSync(`/proc/${pid}/exe`))];
  } catch {
    return [];
  }
}

function versionFolders(folder: string): string[] {
  try {
    return readdirSync(folder)
      .sort()
      .toReversed()
      .map((version) => join(folder, version, "bin"));
  } catch {
    return [];
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function accountOf(uid: number): { readonly user: string; readonly gid: number; readonly home: string } {
  for (const line of readFileSync("/etc/passwd", "utf8").split("\n")) {
    const [user = "", , id = "", gid = "", , home = ""] = line.split(":");
    if (id === String(uid) && /^\d{1,10}$/.test(gid)) return { user, gid: Number(gid), home };
  }
  return { user: String(uid), gid: uid, home: "/" };
}
