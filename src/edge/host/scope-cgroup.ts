/** Where the cgroup of a scope is on this machine, as a rule that nft loads here has to name it. */
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  type Stats,
  statfsSync,
} from "node:fs";
import { SeawallError } from "../../core/base/error.ts";
import {
  type CgroupSelector,
  PARENT_SLICE,
  selectorOfCgroup,
  selectorOfUnit,
  unitName,
} from "../../core/containment/slice.ts";

/** The cgroup2 tree. nft resolves a path by stat(2) below NFT_ROOT, whatever is mounted there. */
export interface CgroupMount {
  readonly directory: string;
  /** What nft needs before a path: nothing, or the folder of a hybrid host. It counts for no level. */
  readonly prefix: string;
}

export interface CgroupPlace extends CgroupSelector {
  /** The path as nft has to be given it: with the prefix of the mount. */
  readonly nftPath: string;
  /** What the rule keeps. It is another one after the cgroup was removed and made again. */
  readonly id: bigint;
}

const NFT_ROOT = "/sys/fs/cgroup";
/** statfs(2): CGROUP2_SUPER_MAGIC. */
const CGROUP2_MAGIC = 0x63677270;
/** The kernel's PROC_CGROUP_INIT_INO: the cgroup namespace of the machine itself. */
const INITIAL_NAMESPACE = "cgroup:[4026531835]";
const STILL = "nothing was changed";
const USE_A_USER = "run the agent under a user of its own and use `user: NAME`";

/**
 * Returns where the cgroup2 tree is. Refuses a machine without one where nft looks (also `ip netns exec`, which
 * hides it) and another cgroup namespace: which level a path is at there depends on the kernel's version.
 */
export function cgroupMount(): CgroupMount {
  if (readlinkSync("/proc/self/ns/cgroup") !== INITIAL_NAMESPACE) {
    throw refused("scopes by unit or cgroup cannot be told apart inside a cgroup namespace", USE_A_USER);
  }
  const found = ["", "unified/"].find((prefix) => isCgroup2(`${NFT_ROOT}/${prefix}`));
  if (found !== undefined) return { directory: `${NFT_ROOT}/${found}`.replace(/\/$/, ""), prefix: found };
  throw refused(
    `there is no cgroup2 tree at ${NFT_ROOT}, which a scope by unit or cgroup needs`,
    "nsenter --net=/run/netns/NAME (`ip netns exec` hides it)",
  );
}

/**
 * Returns the place of a scope's cgroup, given as a path from the root of the tree. Refuses what does not exist,
 * the root, and what cannot stand in a rule.
 */
export function findScopeCgroup(path: string, mount: CgroupMount = cgroupMount()): CgroupPlace {
  const selector = selectorOfCgroup(path);
  if (selector === undefined) {
    throw refused(`\`${path}\` is not the path of a cgroup below the root`, "systemd-cgls");
  }
  return placeOf(selector, mount);
}

/**
 * Makes the slice of a scope by unit where it is missing and returns its place. With or without systemd: a slice
 * unit that starts later takes the folder that is there. Refuses a slice that somebody else than root may enter.
 */
export function makeScopeSlice(scope: string, mount: CgroupMount = cgroupMount()): CgroupPlace {
  const selector = selectorOfUnit(scope);
  for (const path of [PARENT_SLICE, selector.path]) {
    const directory = `${mount.directory}/${path}`;
    try {
      mkdirSync(directory, { mode: 0o755 });
    } catch (cause) {
      if (!(cause instanceof Error && "code" in cause && cause.code === "EEXIST")) {
        throw refused(`cannot make the cgroup \`${path}\``, `ls -ld ${mount.directory}`, cause);
      }
    }
    // SECURITY: who may write here moves out of the slice of a scope, or into one that may reach more.
    if ([directory, `${directory}/cgroup.procs`].some((one) => !isRootsAlone(lstatSync(one)))) {
      throw refused(`the cgroup \`${path}\` is not root's alone`, `ls -la ${directory}`);
    }
  }
  return placeOf(selector, mount);
}

/**
 * Returns the cgroup in which a system unit has processes outside our slices, or null. The rules of its scope match
 * none of them.
 */
export function strayUnitCgroup(unit: string, mount: CgroupMount = cgroupMount()): string | null {
  const name = unitName(unit);
  const parents = readdirSync(mount.directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name.endsWith(".slice") && entry.name !== PARENT_SLICE)
    .map((entry) => entry.name);
  const found = ["", ...parents.map((parent) => `${parent}/`)].map((parent) => `${parent}${name}`);
  return found.find((path) => isPopulated(`${mount.directory}/${path}`)) ?? null;
}

/** cgroup.events: whether a process is in it or below it. */
function isPopulated(directory: string): boolean {
  try {
    return /^populated 1$/m.test(readFileSync(`${directory}/cgroup.events`, "utf8"));
  } catch {
    return false;
  }
}

function placeOf(selector: CgroupSelector, { directory, prefix }: CgroupMount): CgroupPlace {
  const found = lstatSync(`${directory}/${selector.path}`, { bigint: true, throwIfNoEntry: false });
  if (found === undefined || !found.isDirectory() || !isCgroup2(`${directory}/${selector.path}`)) {
    throw refused(`there is no cgroup \`${selector.path}\``, "systemd-cgls");
  }
  return { ...selector, nftPath: `${prefix}${selector.path}`, id: found.ino };
}

function isCgroup2(directory: string): boolean {
  try {
    return statfsSync(directory).type === CGROUP2_MAGIC;
  } catch {
    return false;
  }
}

function isRootsAlone({ uid, gid, mode }: Stats): boolean {
  const groupWrites = (mode & 0o020) !== 0 && gid !== 0;
  return uid === 0 && !groupWrites && (mode & 0o002) === 0;
}

function refused(message: string, help: string, cause?: unknown): SeawallError {
  return new SeawallError("SEAWALL_SCOPE", message, { still: STILL, help, cause });
}

/** LIMIT: cgroups looked at below one scope. */
const BELOW_MAX = 20_000;

/** Returns the numbers of a cgroup and of all below it, as sockets carry them; none when it is not there. */
export function cgroupsBelow({ path }: CgroupSelector, mount: CgroupMount): Set<bigint> {
  const found = new Set<bigint>();
  const waiting = [`${mount.directory}/${path}`];
  for (let at = waiting.pop(); at !== undefined && found.size < BELOW_MAX; at = waiting.pop()) {
    try {
      found.add(lstatSync(at, { bigint: true }).ino);
      for (const one of readdirSync(at, { withFileTypes: true })) {
        if (one.isDirectory()) waiting.push(`${at}/${one.name}`);
      }
    } catch {
      // It went while we looked.
    }
  }
  return found;
}
