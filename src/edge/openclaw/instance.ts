/** Finds OpenClaw however it runs: processes, containers, units, and state folders of users. */
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { dockerNetwork } from "./container.ts";
import { ownerOf } from "./owned-file.ts";
import { type GatewayProcess, gatewayProcesses } from "./process.ts";
import { systemUnits } from "./unit.ts";

export interface FoundInstance {
  readonly configPath: string;
  readonly stateFolder: string;
  /** `/proc/PID/root` where the files are in a container; null on this host. */
  readonly root: string | null;
  readonly uid: number;
  readonly user: string | null;
  readonly pid: number | null;
  readonly unit: GatewayProcess["unit"];
  readonly container: {
    readonly runtime: "docker" | "podman" | "other";
    readonly id: string;
    /** The network that its packets come from; null when it is the host's or not known. */
    readonly network: string | null;
    readonly isHostNetwork: boolean;
  } | null;
  readonly variables: ReadonlyMap<string, string>;
  /** How it was found, for a person. */
  readonly evidence: string;
}

export interface InstanceQuery {
  /** SEAWALL_OPENCLAW_HOME: look there and nowhere else. A home folder, or a state folder itself. */
  readonly only: string | null;
}

const CONFIG_FILE = "openclaw.json";
const STATE_FOLDER = /^\.openclaw(?:-[A-Za-z0-9_-]{1,32})?$/;
/** LIMIT: instances of one user; by user, so that nobody hides those of others behind many of his own. */
const INSTANCES_PER_USER_MAX = 8;
/** LIMIT: accounts whose home is looked into. */
const ACCOUNTS_MAX = 10_000;

/** Returns every instance once, those that run first. Nothing of the agent's is run, no link is followed. */
export function findInstances({ only }: InstanceQuery): FoundInstance[] {
  const accounts = readPasswd();
  const userOf = (uid: number): string | null =>
    accounts.find((account) => account.uid === uid)?.user ?? null;
  const found: FoundInstance[] = [];
  const add = (instance: FoundInstance): void => {
    // SECURITY: by uid too, or whoever points at a configuration of others would hide their instance.
    const isKnown = found.some(
      (one) =>
        one.configPath === instance.configPath &&
        one.uid === instance.uid &&
        one.container?.id === instance.container?.id,
    );
    const ofUser = found.filter(({ uid }) => uid === instance.uid).length;
    if (!isKnown && ofUser < INSTANCES_PER_USER_MAX) found.push(instance);
  };
  for (const process of gatewayProcesses()) {
    const instance = ofProcess(process, accounts, userOf);
    if (only === null || isOwnBelow(instance, only)) add(instance);
  }
  if (only === null) {
    for (const unit of systemUnits()) {
      const account = accounts.find(({ user }) => user === (unit.user ?? "root"));
      if (account === undefined) continue;
      const variables = new Map([["HOME", account.home], ...unit.variables]);
      add({
        ...idle(pathsOf(variables), account, `unit ${unit.name}`),
        unit: { name: unit.name, kind: "system" },
        variables,
      });
    }
  }
  for (const home of homesOf(only, accounts)) {
    for (const stateFolder of stateFolders(home)) {
      const uid = lstatSync(stateFolder, { throwIfNoEntry: false })?.uid;
      if (uid === undefined) continue;
      const paths = { stateFolder, configPath: posix.join(stateFolder, CONFIG_FILE) };
      add(idle(paths, { uid, user: userOf(uid) }, `folder ${stateFolder}`));
    }
  }
  return found;
}

interface Account {
  readonly user: string;
  readonly uid: number;
  readonly home: string;
}

interface Paths {
  readonly stateFolder: string;
  readonly configPath: string;
}

/** OPENCLAW_CONFIG_PATH, OPENCLAW_STATE_DIR, OPENCLAW_HOME and OPENCLAW_PROFILE as OpenClaw 2026.9.6 reads them. */
function pathsOf(variables: ReadonlyMap<string, string>): Paths {
  const home = variables.get("OPENCLAW_HOME") || variables.get("HOME") || "/root";
  const profile = variables.get("OPENCLAW_PROFILE") ?? "";
  const folder =
    /^[A-Za-z0-9_-]{1,32}$/.test(profile) && profile !== "default" ? `.openclaw-${profile}` : ".openclaw";
  const given = variables.get("OPENCLAW_STATE_DIR");
  const stateFolder = absolute(given || posix.join(home, folder), home);
  return {
    stateFolder,
    configPath: absolute(variables.get("OPENCLAW_CONFIG_PATH") || posix.join(stateFolder, CONFIG_FILE), home),
  };
}

function absolute(path: string, home: string): string {
  const full = path.startsWith("~/") ? posix.join(home, path.slice(2)) : path;
  return posix.normalize(posix.isAbsolute(full) ? full : posix.join(home, full));
}

function ofProcess(
  process: GatewayProcess,
  accounts: readonly Account[],
  userOf: (uid: number) => string | null,
): FoundInstance {
  const { pid, uid, unit, container } = process;
  const account = accounts.find((one) => one.uid === uid);
  const home = container === null && account !== undefined ? [["HOME", account.home] as const] : [];
  const variables = new Map([...home, ...process.variables]);
  return {
    ...pathsOf(variables),
    root: container === null ? null : `/proc/${pid}/root`,
    uid,
    user: container === null ? userOf(uid) : null,
    pid,
    unit: container === null ? unit : null,
    container: container === null ? null : { ...container, ...dockerNetwork(container) },
    variables,
    evidence: `process ${pid}`,
  };
}

function idle(
  paths: Paths,
  { uid, user }: { uid: number; user: string | null },
  evidence: string,
): FoundInstance {
  return {
    ...paths,
    root: null,
    uid,
    user,
    pid: null,
    unit: null,
    container: null,
    variables: new Map(),
    evidence,
  };
}

function homesOf(only: string | null, accounts: readonly Account[]): string[] {
  if (only !== null) return [only];
  const homes = accounts.slice(0, ACCOUNTS_MAX).map(({ home }) => home);
  return [...new Set(homes)].filter((home) => home.startsWith("/") && home !== "/");
}

/** The folders of a home that hold a configuration, whatever it is; the home itself when it is one. */
function stateFolders(home: string): string[] {
  if (exists(posix.join(home, CONFIG_FILE))) return [home];
  try {
    return readdirSync(home)
      .filter((name) => STATE_FOLDER.test(name))
      .sort()
      .map((name) => posix.join(home, name))
      .filter((folder) => exists(posix.join(folder, CONFIG_FILE)));
  } catch {
    return [];
  }
}

function exists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

/** Whether a process's configuration is below a folder, and that process's to have. */
function isOwnBelow({ configPath, uid }: FoundInstance, folder: string): boolean {
  if (!configPath.startsWith(`${folder.replace(/\/+$/, "")}/`)) return false;
  return ownerOf(posix.dirname(configPath))?.uid === uid;
}

function readPasswd(): Account[] {
  try {
    return readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .flatMap((line) => {
        const [user = "", , uid = "", , , home = ""] = line.split(":");
        return user !== "" && /^\d{1,10}$/.test(uid) ? [{ user, uid: Number(uid), home }] : [];
      });
  } catch {
    return [];
  }
}
