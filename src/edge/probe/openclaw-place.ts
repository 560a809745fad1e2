/** Where OpenClaw is on this host: running gateways, however they run, and state folders without one. */
import { join } from "node:path";
import type { Account } from "../../core/audit/fact/listener.ts";
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

/** LIMIT: instances on one host. */
const INSTANCES_MAX = 64;
/** Today's name and the older ones: `.clawdbot`, `.moltbot`. */
const STATE_FOLDER = /^\.(openclaw|clawdbot|moltbot)(?:-([A-Za-z0-9_-]+))?$/;
const TITLE = /^(openclaw|clawdbot|moltbot)-gateway\b/;
const STARTED = /\b(?:openclaw(?:\.mjs)?|clawdbot|dist\/index\.js|dist\/entry\.js)\b.*\bgateway\b/;
/** Sub-commands of the gateway's command line that are not the gateway. */
const NOT_GATEWAY = /\bgateway (?:status|call|probe|install|stop|restart|health|discover)\b/;

export function findPlaces(
  table: ProcessTable,
  accounts: readonly Account[],
  env: Readonly<Record<string, string | undefined>>,
): Place[] {
  const only = env["SEAWALL_OPENCLAW_HOME"] ?? "";
  const running = table.all
    .filter(isGateway)
    .map((process) => placeOf(process, accounts))
    .filter(({ stateFolder }) => only === "" || isBelow(stateFolder ?? "", only));
  const taken = new Set(running.map(({ stateFolder }) => stateFolder));
  const homes = accounts.filter(({ home, uid }) => home.startsWith("/") && (uid === 0 || home !== "/"));
  const idle = (only === "" ? distinctHomes(homes) : [ownerOf(only, accounts)]).flatMap((account) =>
    stateFoldersIn(account.home).map((folder) => installed(account, folder)),
  );
  return [...running, ...idle.filter(({ stateFolder }) => !taken.has(stateFolder))].slice(0, INSTANCES_MAX);
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

function isGateway({ title, comm, args }: ProcessSeen): boolean {
  if (TITLE.test(title) || /^(openclaw|clawdbot)-gatewa/.test(comm)) return true;
  const isNode = /(^|\/)(node|bun)$/.test(args[0] ?? "") || comm === "node" || comm === "MainThread";
  return isNode && STARTED.test(title) && !NOT_GATEWAY.test(title);
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
    unit: environment.get("OPENCLAW_SYSTEMD_UNIT") ?? unitIn(process.cgroup),
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
