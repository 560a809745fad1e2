import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A process by its number and when it started, so that a number that is used again is another one. */
export type Process = { readonly pid: number; readonly started: string };

const GROW_DEADLINE_MS = 20_000;

/** Returns the process and all below it, once there are at least `count`. */
export async function grown(root: number, count: number): Promise<Process[]> {
  const limit = Date.now() + GROW_DEADLINE_MS;
  for (;;) {
    const tree = below(root);
    if (tree.length >= count) return tree;
    if (Date.now() > limit) throw new Error(`only ${tree.length} processes grew`);
    await sleep(50);
  }
}

/** Returns those that are alive (a zombie is not). */
export function stillThere(tree: readonly Process[]): Process[] {
  return tree.filter(({ pid, started }) => {
    const stat = statOf(pid);
    return stat !== null && stat.started === started && stat.state !== "Z";
  });
}

/** Returns the network, mount and process namespaces of the tree that are not this process's own. */
export function namespacesOf(tree: readonly Process[]): Set<string> {
  const own = new Set(namespacesOfOne("self"));
  return new Set(tree.flatMap(({ pid }) => namespacesOfOne(String(pid))).filter((one) => !own.has(one)));
}

/** Returns the processes of the whole machine that live in one of the namespaces. */
export function usersOf(namespaces: ReadonlySet<string>): number[] {
  return pids().filter((pid) => namespacesOfOne(String(pid)).some((one) => namespaces.has(one)));
}

function below(root: number): Process[] {
  const parents = new Map<number, number[]>();
  const found = new Map<number, Process>();
  for (const pid of pids()) {
    const stat = statOf(pid);
    if (stat === null) continue;
    found.set(pid, { pid, started: stat.started });
    parents.set(stat.parent, [...(parents.get(stat.parent) ?? []), pid]);
  }
  const walk = (pid: number): number[] => [pid, ...(parents.get(pid) ?? []).flatMap(walk)];
  return walk(root).flatMap((pid) => found.get(pid) ?? []);
}

function pids(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function namespacesOfOne(pid: string): string[] {
  return ["net", "mnt", "pid"].flatMap((kind) => {
    try {
      return readlinkSync(`/proc/${pid}/ns/${kind}`);
    } catch {
      return [];
    }
  });
}

/** proc(5) stat: after the command name, the state, the parent and, as the twentieth, the start time. */
function statOf(pid: number): { state: string; parent: number; started: string } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0] ?? "", parent: Number(fields[1]), started: fields[19] ?? "" };
  } catch {
    return null;
  }
}
