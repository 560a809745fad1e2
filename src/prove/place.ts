/** Where the processes of a scope are and who they are, so that an attempt can be made from there. */
import { mkdirSync, readdirSync, rmdirSync, type Stats, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { SeawallError } from "../core/base/error.ts";
import { uidRanges } from "../core/compile/nftables/scope.ts";
import type { ContainmentFacts } from "../core/containment/facts.ts";
import { selectorOfCgroup, selectorOfUnit } from "../core/containment/slice.ts";
import type { ResolvedScope } from "../core/policy/resolved.ts";
import { dockerBridge } from "../edge/docker/network.ts";
import { readAccounts } from "../edge/host/accounts.ts";
import { containerFacts } from "../edge/host/containment/container.ts";
import { accountOf, readMachine } from "../edge/host/containment/machine.ts";
import { runningOf, type Subject } from "../edge/host/containment/process.ts";
import { openProbe } from "../edge/host/containment/probe.ts";
import { openTree } from "../edge/host/containment/tree.ts";
import { addressesOf } from "../edge/host/own-address.ts";
import { cgroupMount, findScopeCgroup } from "../edge/host/scope-cgroup.ts";
import { interfacesOfNamespace } from "../edge/kernel/netns.ts";
import { type Identity, NOBODY } from "./person.ts";
import { openRoom } from "./room.ts";

export interface Place {
  /** The command before a command that is to run there. */
  readonly enter: readonly string[];
  readonly identity: Identity;
  /** Null: it is not known as whom the agent runs, so what depends on that cannot be tried. */
  readonly account: Account | null;
  /** `user`: judged by uid wherever it runs. `guest`: has a network of its own. */
  readonly kind: "user" | "cgroup" | "guest";
  /** Whether it shares files, users and processes with this machine. */
  readonly hasHostFiles: boolean;
  /** Addresses of this host that lead to its gate and its services from there; null: every one. */
  readonly nearAddress: string | null;
  /** Before a path: the files as a process of the scope sees them (InaccessiblePaths= of its unit), or as root does. */
  readonly seen: string;
  /** Docker: what is known of its containers, read before anything is tried (a proof listens meanwhile). */
  readonly containers: ContainmentFacts | null;
  readonly close: () => void | Promise<void>;
}

export interface Account {
  readonly name: string | null;
  readonly isRoot: boolean;
  /** The first of its subordinate uids (subuid(5)), or null. */
  readonly subuid: number | null;
  /** Cgroups outside the scope that it could put its processes into, for scopes by cgroup. */
  readonly otherCgroups: readonly string[];
}

/** Returns the place of a scope. Refuses one that is not on this machine. Close it afterwards. */
export function openPlace({ name, target }: ResolvedScope): Place {
  switch (target.kind) {
    case "user":
      return userPlace(name, target.user);
    case "unit":
      return cgroupPlace(selectorOfUnit(name).path);
    case "cgroup":
      return cgroupPlace(selectorOfCgroup(target.path)?.path ?? target.path);
    case "netns":
      return netnsPlace(target.name);
    case "docker":
      return dockerPlace(target.network);
  }
}

function userPlace(scope: string, user: string | number): Place {
  const accounts = readAccounts();
  const [own, sub] = uidRanges(user, accounts) ?? [];
  if (own === undefined) {
    throw new SeawallError(
      "SEAWALL_SCOPE",
      `scope \`${scope}\`: there is no user \`${user}\` on this machine`,
      {
        help: "seawall status",
      },
    );
  }
  const { name, login, gids } = accountOf(readMachine(openTree("")), own.first, new Set());
  return {
    enter: [],
    identity: { uid: own.first, gid: login?.gid ?? own.first, groups: [...gids] },
    account: { name, isRoot: own.first === 0, subuid: sub?.first ?? null, otherCgroups: [] },
    kind: "user",
    hasHostFiles: true,
    nearAddress: null,
    seen: seenBy(runningOf(openTree(""), { kind: "users", uids: [own] }) ?? []),
    containers: null,
    close: () => undefined,
  };
}

/** The leaf is made and taken away again: the rules match by what is above it. */
function cgroupPlace(path: string): Place {
  const mount = cgroupMount();
  const found = findScopeCgroup(path, mount);
  removeOldLeaves(`${mount.directory}/${found.path}`);
  const leaf = `${mount.directory}/${found.path}/seawall-prove-${process.pid}`;
  const who = residentOf({ kind: "cgroup", path: found.path }, found.path);
  mkdirSync(leaf, { mode: 0o755 });
  return {
    enter: [...who.enter, "sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', leaf],
    identity: who.identity,
    account: who.account,
    kind: "cgroup",
    hasHostFiles: true,
    nearAddress: null,
    seen: who.seen,
    containers: null,
    close: () => removeLeaf(leaf),
  };
}

/** The kernel takes a moment to forget the processes that were in it. */
const LEAF_ATTEMPTS = 50;
const LEAF_EVERY_MS = 20;

async function removeLeaf(leaf: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return rmdirSync(leaf);
    } catch (error) {
      if (attempt === LEAF_ATTEMPTS) throw error;
      await sleep(LEAF_EVERY_MS);
    }
  }
}

/** Takes away what a run that was killed left there. */
function removeOldLeaves(directory: string): void {
  for (const name of readdirSync(directory)) {
    const pid = /^seawall-prove-(\d+)$/.exec(name)?.[1];
    if (pid === undefined || statSync(`/proc/${pid}`, { throwIfNoEntry: false }) !== undefined) continue;
    try {
      rmdirSync(`${directory}/${name}`);
    } catch {
      // Something is in it that is not ours: it stays.
    }
  }
}

function netnsPlace(name: string): Place {
  const found = statSync(`/run/netns/${name}`, { throwIfNoEntry: false });
  if (found === undefined) {
    throw new SeawallError("SEAWALL_SCOPE", `there is no network namespace \`${name}\``, {
      help: "ip netns list",
    });
  }
  const who = residentOf({ kind: "netns", link: `net:[${found.ino}]` }, null);
  return {
    enter: [...who.enter, "nsenter", `--net=/run/netns/${name}`, "--"],
    identity: who.identity,
    account: who.account,
    kind: "guest",
    hasHostFiles: true,
    nearAddress: nearAddressOf(name),
    seen: who.seen,
    containers: null,
    close: () => undefined,
  };
}

/** The address of this host on the interface that leads into the namespace: where its gate listens. */
function nearAddressOf(name: string): string | null {
  const near = interfacesOfNamespace(name).flatMap(addressesOf);
  return near.find((address) => !address.includes(":")) ?? near[0] ?? null;
}

function dockerPlace(network: string): Place {
  const room = openRoom(dockerBridge(network));
  return {
    enter: ["nsenter", `--net=/proc/${room.pid}/ns/net`, "--"],
    identity: NOBODY,
    account: null,
    kind: "guest",
    hasHostFiles: false,
    nearAddress: room.gateway,
    seen: "",
    containers: containerFacts(network),
    close: room.close,
  };
}

interface Resident {
  readonly enter: readonly string[];
  readonly identity: Identity;
  readonly account: Account | null;
  readonly seen: string;
}

/** LIMIT: cgroups that it is tried to enter. */
const CGROUPS_MAX = 32;

function enterable(path: string): string[] {
  const { accounts } = openProbe().facts({ kind: "cgroup", path });
  if (!accounts.known) return [];
  return accounts.value.flatMap(({ cgroups }) => (cgroups.known ? cgroups.value : [])).slice(0, CGROUPS_MAX);
}

/**
 * Returns the path before a path as the first process sees it that has this machine's own root directory: what a unit
 * hides from it is hidden, and a container's files are not taken for this machine's.
 * LIMIT: the first such process stands for all of them.
 */
function seenBy(running: readonly { readonly pid: number }[]): string {
  const own = statSync("/");
  const roots = running.map(({ pid }) => `/proc/${pid}/root`);
  return roots.find((root) => isSame(own, statSync(`${root}/`, { throwIfNoEntry: false }))) ?? "";
}

function isSame(one: Stats, other: Stats | undefined): boolean {
  return other !== undefined && one.dev === other.dev && one.ino === other.ino;
}

/** As whom the processes there run, and whether setuid programs give them anything. */
function residentOf(subject: Subject, cgroup: string | null): Resident {
  const running = (runningOf(openTree(""), subject) ?? []).filter(({ inScope }) => inScope);
  const one = running.find(({ uid }) => uid !== 0) ?? running[0];
  if (one === undefined) return { enter: [], identity: NOBODY, account: null, seen: "" };
  const { name } = accountOf(readMachine(openTree("")), one.uid, new Set());
  const subuid = readAccounts().subuidsOf(one.uid)[0]?.first ?? null;
  const holdsRights = running.every(({ noNewPrivileges }) => noNewPrivileges);
  const isRoot = running.some(({ uid }) => uid === 0);
  return {
    enter: holdsRights ? ["setpriv", "--no-new-privs"] : [],
    identity:
      one.uid === 0
        ? NOBODY
        : { uid: one.uid, gid: one.gids.at(-1) ?? one.uid, groups: [...new Set(one.gids)] },
    account: { name, isRoot, subuid, otherCgroups: cgroup === null ? [] : enterable(cgroup) },
    seen: seenBy(running),
  };
}
