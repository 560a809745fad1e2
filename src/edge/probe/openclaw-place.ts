/** Where OpenClaw is on this host: running gateways, however they run, and state folders without one. */
import { join } from "node:path";
import type { Account } from "../../core/audit/fact/listener.ts";
import { callsItselfGateway } from "../../core/openclaw/gateway-title.ts";
import { type LeftOut, limitPerUser } from "../../core/openclaw/instance-limit.ts";
import { listensItself } from "../openclaw/listener.ts";
import { namesIn, ownStateAt, readText, stateAt } from "./file.ts";
import type { ProcessSeen, ProcessTable } from "./process.ts";

export interface Place {
  readonly pid: number | null;
  readonly uid: number;
  readonly user: string;
  readonly home: string;
  readonly unit: string | null;
  readonly container: string | null;
  /** Before every path of it: "" where it sees the host's own files. */
  readonly root: string;
  readonly profile: string | null;
  readonly stateFolder: string | null;
  readonly configPath: string | null;
  /** Variables of the gateway's environment by name; "" of others is not kept. */
  readonly environment: ReadonlyMap<string, string>;
  /** The Node that runs it. */
  readonly exe: string | null;
}

/** Today's name and the older ones: `.clawdbot`, `.moltbot`. */
const STATE_FOLDER = /^\.(openclaw|clawdbot|moltbot)(?:-([A-Za-z0-9_-]+))?$/;
export interface Places {
  /** Those that run first. */
  readonly places: readonly Place[];
  readonly leftOut: readonly LeftOut[];
  /** Users of whom a process calls itself the gateway and listens on nothing: no place, and said. */
  readonly claims: readonly LeftOut[];
}

/**
 * Finds OpenClaw. SECURITY: a gateway that runs is a process that calls itself so and holds a listening socket of its
 * own user's, as init has it. What it says of itself counts for that user only, and takes no place from what is
 * installed.
 */
export function findPlaces(
  table: ProcessTable,
  accounts: readonly Account[],
  env: Readonly<Record<string, string | undefined>>,
  isListening: (process: ProcessSeen) => boolean | null = ({ pid, uid }) => listensItself(pid, uid),
): Places {
  const only = env["SEAWALL_OPENCLAW_HOME"] ?? "";
  const claims = new Map<number, number>();
  const gateways = table.all.filter(callsItselfGateway).flatMap((process) => {
    const place = placeOf(process, accounts);
    if (only !== "" && !isOwnBelow(place, only)) return [];
    if (isListening(process) !== false) return [place];
    claims.set(place.uid, (claims.get(place.uid) ?? 0) + 1);
    return [];
  });
  const running = limitPerUser(gateways);
  const taken = new Set(running.kept.map(({ uid, stateFolder }) => `${uid} ${stateFolder}`));
  const homes = accounts.filter(({ home, uid }) => home.startsWith("/") && (uid === 0 || home !== "/"));
  const idle = (only === "" ? distinctHomes(homes) : [ownerOf(only, accounts)])
    .flatMap((account) => stateFoldersIn(account.home).map((folder) => installed(account, folder)))
    .filter(({ uid, stateFolder }) => !taken.has(`${uid} ${stateFolder}`));
  const resting = limitPerUser(idle);
  return {
    places: [...running.kept, ...resting.kept],
    leftOut: [...running.leftOut, ...resting.leftOut],
    claims: [...claims].map(([uid, count]) => ({ uid, count })),
  };
}

/** Whether a process's files are below a folder, and that process's to have. */
function isOwnBelow({ stateFolder, uid }: Place, folder: string): boolean {
  if (stateFolder === null || !isBelow(stateFolder, folder)) return false;
  return uid === 0 || stateAt(stateFolder)?.uid === uid;
}

function isBelow(path: string, folder: string): boolean {
  const bare = folder.replace(/(.)\/+$/, "$1");
  return path === bare || path.startsWith(`${bare}/`);
}

function distinctHomes(accounts: readonly Account[]): Account[] {
  return [...new Map(accounts.toReversed().map((account) => [account.home, account])).values()].toReversed();
}

/** State folders in a home; a folder that is one itself (it holds a configuration) is the only one. */
function stateFoldersIn(folder: string): string[] {
  if (CONFIG_NAMES.some((name) => ownStateAt(join(folder, name))?.kind === "file")) return [folder];
  return namesIn(folder)
    .filter((name) => STATE_FOLDER.test(name) && ownStateAt(join(folder, name))?.kind === "folder")
    .map((name) => join(folder, name));
}

function placeOf(process: ProcessSeen, accounts: readonly Account[]): Place {
  const account = accounts.find(({ uid }) => uid === process.uid);
  const environment = environmentOf(process.pid);
  const container = containerIn(process.cgroup);
  const home = environment.get("OPENCLAW_HOME") ?? environment.get("HOME") ?? account?.home ?? "/nonexistent";
  const profile = environment.get("OPENCLAW_PROFILE") ?? null;
  const root = container === null && sameFolder(home, process.pid) ? "" : `/proc/${process.pid}/root`;
  const state =
    environment.get("OPENCLAW_STATE_DIR") ??
    environment.get("CLAWDBOT_STATE_DIR") ??
    defaultFolder(root, home, profile);
  const config =
    environment.get("OPENCLAW_CONFIG_PATH") ??
    environment.get("CLAWDBOT_CONFIG_PATH") ??
    configIn(root + state).slice(root.length);
  return {
    pid: process.pid,
    uid: process.uid,
    user: account?.name ?? String(process.uid),
    home,
    unit: unitIn(process.cgroup),
    container,
    root,
    profile,
    stateFolder: root + state,
    configPath: root + config,
    environment,
    exe: `/proc/${process.pid}/exe`,
  };
}

/** A unit with a sandbox sees the host's files under their own names, a container or a namespace may not. */
function sameFolder(path: string, pid: number): boolean {
  const [ours, its] = [stateAt(path), stateAt(`/proc/${pid}/root${path}`)];
  return its === undefined || (ours !== undefined && ours.uid === its.uid && ours.mtimeMs === its.mtimeMs);
}

function installed(account: Account, stateFolder: string): Place {
  const name = stateFolder.slice(stateFolder.lastIndexOf("/") + 1);
  return {
    pid: null,
    uid: account.uid,
    user: account.name,
    home: account.home,
    unit: null,
    container: null,
    root: "",
    profile: STATE_FOLDER.exec(name)?.[2] ?? null,
    stateFolder,
    configPath: configIn(stateFolder),
    environment: new Map(),
    exe: null,
  };
}

function defaultFolder(root: string, home: string, profile: string | null): string {
  const suffix = profile === null || profile === "default" ? "" : `-${profile}`;
  const names = [`.openclaw${suffix}`, `.clawdbot${suffix}`, `.moltbot${suffix}`];
  return join(
    home,
    names.find((name) => stateAt(join(root, home, name)) !== undefined) ?? `.openclaw${suffix}`,
  );
}

/** Today's name and older ones; `config.json` is what some guides write, and what OpenClaw does not read. */
const CONFIG_NAMES = ["openclaw.json", "clawdbot.json", "moltbot.json"];

function configIn(folder: string): string {
  return join(
    folder,
    CONFIG_NAMES.find((name) => ownStateAt(join(folder, name)) !== undefined) ?? "openclaw.json",
  );
}

function ownerOf(home: string, accounts: readonly Account[]): Account {
  const uid = stateAt(home)?.uid ?? 0;
  const account = accounts.find((candidate) => candidate.uid === uid);
  return {
    name: account?.name ?? String(uid),
    uid,
    gid: account?.gid ?? uid,
    home,
    shell: "",
    groups: account?.groups ?? [],
    password: null,
  };
}

/** SECURITY: read for what is named here; values are compared and measured, never shown. */
function environmentOf(pid: number): ReadonlyMap<string, string> {
  const content = readText(`/proc/${pid}/environ`);
  if (content.kind !== "text") return new Map();
  return new Map(
    content.text.split("\0").flatMap((entry) => {
      const at = entry.indexOf("=");
      return at > 0 ? [[entry.slice(0, at), entry.slice(at + 1)] as const] : [];
    }),
  );
}

/** The unit that systemd runs it in: the last `.service` of its cgroup. */
export function unitIn(cgroup: string): string | null {
  return (
    [...cgroup.matchAll(/([A-Za-z0-9@_.:\\-]+\.service)/g)]
      .map((match) => match[1] ?? "")
      .findLast((name) => !name.startsWith("user@")) ?? null
  );
}

/** Docker, Podman and containerd name the container by its id in the cgroup. */
export function containerIn(cgroup: string): string | null {
  return /(?:docker[-/]|libpod-|cri-containerd-|\/)([0-9a-f]{64})/.exec(cgroup)?.[1]?.slice(0, 12) ?? null;
}
