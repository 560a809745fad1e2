/** What runs as the users of a scope: proc(5), read by root. */
import { capabilityNames } from "../../../core/containment/baseline.ts";
import type { ProcessFacts } from "../../../core/containment/facts.ts";
import type { Tree } from "./tree.ts";

export interface Running extends ProcessFacts {
  readonly gids: readonly number[];
}

/** How one knows the processes of a scope. */
export type Subject =
  | { readonly kind: "users"; readonly uids: readonly { readonly first: number; readonly last: number }[] }
  /** The path of a cgroup from the root of the cgroup2 tree, without a leading slash. */
  | { readonly kind: "cgroup"; readonly path: string }
  /** The network namespace as proc(5) names it: `net:[4026531840]`. */
  | { readonly kind: "netns"; readonly link: string };

/** LIMIT: processes looked at. */
const PROCESSES_MAX = 32_768;
/** Beside processes, /proc has some hundred other names. */
const NAMES_MAX = PROCESSES_MAX + 10_000;

/**
 * Returns the processes of a scope and, of a scope by place, those of the same users outside it. Undefined: there
 * are more than PROCESSES_MAX, or proc is not there.
 */
export function runningOf(tree: Tree, subject: Subject): Running[] | undefined {
  const all = tree.names("/proc", NAMES_MAX).filter((name) => /^[0-9]+$/.test(name));
  if (all.length === 0 || all.length > PROCESSES_MAX) return undefined;
  const machineUsers = tree.kernelLink("/proc/1/ns/user");
  const found = all.flatMap((pid) => describe(tree, pid, subject, machineUsers) ?? []);
  const uids = new Set(found.filter(({ inScope }) => inScope).map(({ uid }) => uid));
  return found.filter(({ uid, inScope }) => inScope || uids.has(uid));
}

function describe(
  tree: Tree,
  pid: string,
  subject: Subject,
  machineUsers: string | undefined,
): Running | undefined {
  const status = tree.kernelText(`/proc/${pid}/status`);
  if (status === undefined) return undefined;
  const field = (name: string): string => new RegExp(`^${name}:[\\t ]*(.*)$`, "m").exec(status)?.[1] ?? "";
  // Real, effective, saved, file system: sockets are made with the last.
  const uid = Number(field("Uid").split(/\s+/)[3]);
  if (!Number.isInteger(uid)) return undefined;
  // Capabilities in a user namespace of its own reach nothing of the machine's.
  const users = tree.kernelLink(`/proc/${pid}/ns/user`);
  const inside = users !== undefined && users !== machineUsers;
  const masks = ["CapEff", "CapPrm", "CapAmb"].map(field).filter((mask) => /^[0-9a-f]{1,16}$/.test(mask));
  return {
    pid: Number(pid),
    command: field("Name"),
    program: tree.kernelLink(`/proc/${pid}/exe`) ?? null,
    uid,
    capabilities: inside ? [] : [...new Set(masks.flatMap(capabilityNames))],
    noNewPrivileges: field("NoNewPrivs") === "1",
    inScope: isIn(tree, pid, uid, subject),
    gids: field("Groups").split(/\s+/).concat(field("Gid").split(/\s+/)).filter(Boolean).map(Number),
  };
}

function isIn(tree: Tree, pid: string, uid: number, subject: Subject): boolean {
  switch (subject.kind) {
    case "users":
      return subject.uids.some(({ first, last }) => uid >= first && uid <= last);
    case "netns":
      return tree.kernelLink(`/proc/${pid}/ns/net`) === subject.link;
    case "cgroup": {
      const path = /^0::\/(.*)$/m.exec(tree.kernelText(`/proc/${pid}/cgroup`) ?? "")?.[1];
      return path === subject.path || path?.startsWith(`${subject.path}/`) === true;
    }
  }
}
