/** OpenClaw's own command line, run as the agent's user: its files are that user's to write, so never as root. */
import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Reading, read, unreadable } from "../../core/audit/reading.ts";
import { shellWord } from "../../core/base/shell-word.ts";
import { type Answer, isProgram } from "../host/command.ts";
import { mayRunAs, runAs } from "../host/stranger.ts";
import { writableBy } from "../host/writable-by.ts";

/** Whose OpenClaw it is, and where it has its files. */
export interface Installation {
  readonly uid: number;
  readonly gid: number;
  readonly user: string;
  readonly home: string;
  /** Its gateway, where one runs. */
  readonly pid: number | null;
  /** Why its program is not one of this host's files; null when it is. */
  readonly elsewhere: { readonly why: string; readonly needs: string } | null;
  readonly configPath: string | null;
  readonly stateFolder: string | null;
  /** What its gateway was started with. */
  readonly variables: ReadonlyMap<string, string>;
}

/** A program that may be run as the user whose it is. */
export interface Program {
  readonly words: readonly [program: string, ...args: string[]];
  /** The file that is OpenClaw's, without links. */
  readonly script: string;
  /** Where it finds other programs. */
  readonly path: readonly string[];
}

const SYSTEM_PATHS = [
  "/usr/local/sbin",
  "/usr/local/bin",
  "/usr/sbin",
  "/usr/bin",
  "/sbin",
  "/bin",
  "/opt/openclaw/bin",
];
/** Where npm, pnpm, version managers and installers put programs below a home. */
const HOME_FOLDERS = [
  ".local/bin",
  ".npm-global/bin",
  "bin",
  ".openclaw/bin",
  ".local/share/pnpm",
  ".volta/bin",
];
/** LIMIT: Node versions of a version manager that are looked at. */
const VERSIONS_MAX = 64;
/** LIMIT: folders of a PATH that are looked at. */
const FOLDERS_MAX = 128;
/** LIMIT: bytes of a script that are read to see what runs it. */
const FIRST_LINE_BYTES = 256;
/** What of a gateway's environment its program is told. */
const PASSED = ["OPENCLAW_HOME", "OPENCLAW_PROFILE"];

/**
 * Returns the program `openclaw` of an installation, or why it is not run. SECURITY: refused where somebody else than
 * root and its own user may write it, the Node that runs it, or a folder above one of them.
 */
export function findOpenclaw(of: Installation): Reading<Program> {
  if (of.elsewhere !== null) return unreadable(of.elsewhere.why, of.elsewhere.needs);
  const folders = programFolders(of);
  const found = folders.map((folder) => join(folder, "openclaw")).find(isProgram);
  const script = found === undefined ? undefined : real(found);
  if (found === undefined || script === undefined)
    return unreadable("the openclaw program was not found", "put openclaw into /usr/local/bin");
  const node = nodeOf(of.pid, dirname(found));
  const owners = new Set([0, of.uid]);
  for (const path of [script, node]) {
    const problem = writableBy(path, owners);
    if (problem !== null)
      return unreadable(`${path} is not run: ${problem}`, `chmod go-w ${shellWord(path)}`);
  }
  const words = isForNode(script) ? ([node, script] as const) : ([script] as const);
  return read({ words, script, path: [...new Set([dirname(node), ...folders])] });
}

/**
 * Runs `openclaw ARGS` as the installation's own user and returns what it said; what that is is the agent's word.
 * SECURITY: runAs; refused for whoever is neither root nor that user.
 */
export async function runOpenclaw(
  of: Installation,
  { words, path }: Program,
  args: readonly string[],
  deadlineMs: number,
): Promise<Reading<Answer>> {
  if (!mayRunAs(of.uid))
    return unreadable("only root or its user may run its commands", "sudo seawall audit");
  const known = PASSED.flatMap((name) => {
    const value = of.variables.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const env = {
    PATH: path.join(":"),
    HOME: of.home,
    USER: of.user,
    LOGNAME: of.user,
    NO_COLOR: "1",
    CI: "1",
    ...(of.stateFolder === null ? {} : { OPENCLAW_STATE_DIR: of.stateFolder }),
    ...(of.configPath === null ? {} : { OPENCLAW_CONFIG_PATH: of.configPath }),
    ...Object.fromEntries(known),
  };
  try {
    return read(await runAs(of, [...words, ...args], { env, deadlineMs }));
  } catch {
    return unreadable("openclaw cannot be started", "openclaw --version");
  }
}

/** The folders that its user's shell would look into, as far as they can be told. */
function programFolders({ home, pid, variables }: Installation): string[] {
  const gateway = exeOf(pid);
  const folders = [
    ...(gateway === undefined ? [] : [dirname(gateway)]),
    ...(variables.get("PATH")?.split(":").slice(0, FOLDERS_MAX) ?? []),
    ...HOME_FOLDERS.map((folder) => join(home, folder)),
    ...versionFolders(join(home, ".nvm/versions/node")),
    ...SYSTEM_PATHS,
    dirname(process.execPath),
  ];
  return [...new Set(folders.filter((folder) => folder.startsWith("/") && !folder.includes(":")))];
}

/** The Node that runs the gateway, or the one beside the program; else ours, which is as new as OpenClaw wants it. */
function nodeOf(pid: number | null, folder: string): string {
  const gateway = exeOf(pid);
  if (gateway !== undefined && /^(node|nodejs|bun)$/.test(basename(gateway))) return gateway;
  const beside = real(join(folder, "node"));
  return beside !== undefined && isProgram(beside) ? beside : process.execPath;
}

function exeOf(pid: number | null): string | undefined {
  if (pid === null) return undefined;
  try {
    return real(readlinkSync(`/proc/${pid}/exe`));
  } catch {
    return undefined;
  }
}

function versionFolders(folder: string): string[] {
  try {
    const versions = readdirSync(folder).sort().toReversed().slice(0, VERSIONS_MAX);
    return versions.map((version) => join(folder, version, "bin"));
  } catch {
    return [];
  }
}

/** What begins with the name of another program (a shell, as version managers write) starts Node itself. */
function isForNode(script: string): boolean {
  const first = beginningOf(script).split("\n", 1)[0] ?? "";
  return first.startsWith("#!") ? /\bnode\b/.test(first) : !first.startsWith("\u007fELF");
}

/** A pipe or a device does not hold us. */
function beginningOf(path: string): string {
  try {
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      const bytes = Buffer.alloc(FIRST_LINE_BYTES);
      return bytes.toString("latin1", 0, readSync(file, bytes, 0, bytes.length, 0));
    } finally {
      closeSync(file);
    }
  } catch {
    return "";
  }
}

function real(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** Returns a user's login name, group and home by passwd(5); a user that is not there has none. */
export function accountOf(uid: number): Pick<Installation, "gid" | "user" | "home"> {
  for (const line of readFileSync("/etc/passwd", "utf8").split("\n")) {
    const [user = "", , id = "", gid = "", , home = ""] = line.split(":");
    if (id === String(uid) && /^\d{1,10}$/.test(gid)) return { user, gid: Number(gid), home };
  }
  return { user: String(uid), gid: uid, home: "/" };
}
