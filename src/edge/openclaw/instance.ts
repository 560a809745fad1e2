/** Finds OpenClaw however it runs: processes, containers, units, and state folders of users. */
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { type LeftOut, limitPerUser } from "../../core/openclaw/instance-limit.ts";
import { dockerNetwork } from "./container.ts";
import { listensItself } from "./listener.ts";
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
/** LIMIT: accounts whose home is looked into. */
const ACCOUNTS_MAX = 10_000;

export interface Found {
  /** Every instance once, those that run first. */
  readonly instances: readonly FoundInstance[];
  readonly leftOut: readonly LeftOut[];
  /** Users of whom a process calls itself the gateway and listens on nothing: no instance, and said. */
  readonly claims: readonly LeftOut[];
}

/**
 * Finds OpenClaw. Nothing of the agent's is run, no link is followed. SECURITY: a gateway that runs is a process that
 * calls itself so and holds a listening socket of its own user's. What it says of itself counts for that user only.
 */
export function findInstances({ only }: InstanceQuery): Found {
  const accounts = readPasswd();
  const claims = new Map<number, number>();
  const gateways = gatewayProcesses().flatMap((process) => {
    const instance = ofProcess(process, accounts);
    if (only !== null && !isOwnBelow(instance, only)) return [];
    if (listensItself(process.pid, process.uid) !== false) return [instance];
    claims.set(process.uid, (claims.get(process.uid) ?? 0) + 1);
    return [];
  });
  const running = limitPerUser(unlessKnown(gateways, []));
  // SECURITY: one that runs and is not looked at stands for no configuration: the installed one is, in its own place.
  const installed = limitPerUser(unlessKnown(installedOnes(only, accounts), running.kept));
  return {
    instances: [...running.kept, ...installed.kept],
    leftOut: [...running.leftOut, ...installed.leftOut],
    claims: [...claims].map(([uid, count]) => ({ uid, count })),
  };
}

/** Returns each once, and none that is among `others`. */
function unlessKnown(
  instances: readonly FoundInstance[],
  others: readonly FoundInstance[],
): readonly FoundInstance[] {
  const known = new Set(others.map(identityOf));
  return instances.filter((instance) => {
    const identity = identityOf(instance);
    if (known.has(identity)) return false;
    known.add(identity);
    return true;
  });
}

/** SECURITY: by uid too, or whoever points at a configuration of others would hide their instance. */
function identityOf({ configPath, uid, container }: FoundInstance): string {
  return JSON.stringify([configPath, uid, container?.id ?? null]);
}

/** Units of the system and state folders in homes, whether anything runs or not. */
function installedOnes(only: string | null, accounts: readonly Account[]): FoundInstance[] {
  const found: FoundInstance[] = [];
  for (const unit of only === null ? systemUnits() : []) {
    const account = accounts.find(({ user }) => user === (unit.user ?? "root"));
    if (account === undefined) continue;
    const variables = new Map([["HOME", account.home], ...unit.variables]);
    found.push({
      ...idle(pathsOf(variables), account, `unit ${unit.name}`),
      unit: { name: unit.name, kind: "system" },
      variables,
    });
  }
  for (const stateFolder of homesOf(only, accounts).flatMap(stateFolders)) {
    const uid = lstatSync(stateFolder, { throwIfNoEntry: false })?.uid;
    if (uid === undefined) continue;
    const paths = { stateFolder, configPath: posix.join(stateFolder, CONFIG_FILE) };
    found.push(idle(paths, { uid, user: userOf(accounts, uid) }, `folder ${stateFolder}`));
  }
  return found;
}

function userOf(accounts: readonly Account[], uid: number): string | null {
  return accounts.find((account) => account.uid === uid)?.user ?? null;
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

function ofProcess(process: GatewayProcess, accounts: readonly Account[]): FoundInstance {
  const { pid, uid, unit, container } = process;
  const account = accounts.find((one) => one.uid === uid);
  const home = container === null && account !== undefined ? [["HOME", account.home] as const] : [];
  const variables = new Map([...home, ...process.variables]);
  return {
    ...pathsOf(variables),
    root: container === null ? null : `/proc/${pid}/root`,
    uid,
    user: container === null ? userOf(accounts, uid) : null,
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
