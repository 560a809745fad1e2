/** The processes of this host and the sockets they hold (proc(5)). */
import { readdirSync } from "node:fs";
import type { Listener } from "../../core/audit/fact/listener.ts";
import { type Reading, read, unreadable } from "../../core/audit/reading.ts";
import { parseListenTable, type SocketRow } from "../../core/audit/read/proc-net.ts";
import { linkTarget, textOf } from "./file.ts";

export interface ProcessSeen {
  readonly pid: number;
  readonly parent: number;
  readonly comm: string;
  /** The command line, or what the process wrote over it. */
  readonly title: string;
  readonly args: readonly string[];
  /** Real user. */
  readonly uid: number;
  readonly groups: readonly number[];
  readonly cgroup: string;
  /** The network namespace; "" when it cannot be seen. */
  readonly net: string;
}

export interface ProcessTable {
  readonly all: readonly ProcessSeen[];
  /** The network namespace we are in ourselves. */
  readonly net: string;
  /** Inode of a socket to the process that holds it; those of others need root. */
  readonly holders: ReadonlyMap<string, ProcessSeen>;
  readonly complete: boolean;
}

/** LIMIT: processes that are looked at. */
const PROCESSES_MAX = 20_000;

export function readProcesses(): ProcessTable {
  const holders = new Map<string, ProcessSeen>();
  const all: ProcessSeen[] = [];
  let complete = true;
  for (const pid of pids()) {
    const seen = readProcess(pid);
    if (seen === undefined) continue;
    all.push(seen);
    const inodes = socketInodes(pid);
    if (inodes === undefined) complete = false;
    for (const inode of inodes ?? []) if (!holders.has(inode)) holders.set(inode, seen);
  }
  return { all, net: linkTarget("/proc/self/ns/net") ?? "", holders, complete };
}

function pids(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .slice(0, PROCESSES_MAX)
    .map(Number);
}

function readProcess(pid: number): ProcessSeen | undefined {
  const status = textOf(`/proc/${pid}/status`);
  if (status === "") return undefined;
  const line = (name: string): string => new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(status)?.[1] ?? "";
  // A process that has ended and was not yet waited for holds nothing.
  if (line("State").startsWith("Z")) return undefined;
  const raw = textOf(`/proc/${pid}/cmdline`);
  return {
    pid,
    parent: Number(line("PPid")),
    comm: line("Name"),
    title: raw.replaceAll("\0", " ").trim(),
    args: raw.split("\0").filter((word) => word !== ""),
    uid: Number(line("Uid").split("\t")[0]),
    groups: line("Groups")
      .split(" ")
      .filter((word) => word !== "")
      .map(Number),
    cgroup: textOf(`/proc/${pid}/cgroup`).trim(),
    net: linkTarget(`/proc/${pid}/ns/net`) ?? "",
  };
}

function socketInodes(pid: number): string[] | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap(
      (fd) => /^socket:\[(\d+)\]$/.exec(linkTarget(`/proc/${pid}/fd/${fd}`) ?? "")?.[1] ?? [],
    );
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "EACCES" ? undefined : [];
  }
}

/** Returns the listening sockets of a network namespace: ours, or that of `pid`. */
export function readListeners(
  table: ProcessTable,
  pid: number | "self" = "self",
): Reading<readonly Listener[]> {
  const rows = [
    ...rowsOf(pid, "tcp", "tcp"),
    ...rowsOf(pid, "tcp6", "tcp"),
    ...rowsOf(pid, "udp", "udp"),
    ...rowsOf(pid, "udp6", "udp"),
  ];
  if (textOf(`/proc/${pid}/net/tcp`) === "")
    return unreadable("/proc/net/tcp cannot be read", "mount /proc, and run as root");
  return read(
    rows.map(({ row, protocol }) => {
      const holder = table.holders.get(row.inode);
      return {
        protocol,
        address: row.address,
        port: row.port,
        uid: row.uid,
        pid: holder?.pid ?? null,
        program: holder?.comm ?? null,
      };
    }),
  );
}

function rowsOf(
  pid: number | "self",
  file: string,
  protocol: "tcp" | "udp",
): { readonly row: SocketRow; readonly protocol: "tcp" | "udp" }[] {
  return parseListenTable(textOf(`/proc/${pid}/net/${file}`), protocol).map((row) => ({ row, protocol }));
}

/** Returns the sockets that a process holds itself, in its own network namespace. */
export function listenersOf(table: ProcessTable, pid: number): readonly Listener[] {
  const all = readListeners(table, pid);
  return all.kind === "read" ? all.value.filter((listener) => listener.pid === pid) : [];
}
