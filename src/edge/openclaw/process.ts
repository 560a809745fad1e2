import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from "node:fs";
import { containerOfCgroup, type ContainerId, type UnitName, unitOfCgroup } from "./cgroup.ts";

/** OpenClaw's gateway calls itself `openclaw-gateway`; comm holds 15 characters of it (proc(5)). */
const GATEWAY_COMM = "openclaw-gatewa";
/** LIMIT: bytes of a process's environment that are read. */
const ENVIRON_BYTES_MAX = 256 * 1024;

export interface GatewayProcess {
  readonly pid: number;
  /** The effective user, as this host numbers it. */
  readonly uid: number;
  readonly variables: ReadonlyMap<string, string>;
  readonly unit: UnitName | null;
  readonly container: ContainerId | null;
}

/**
 * Returns every process that calls itself OpenClaw's gateway. SECURITY: any user can do so, and can have any
 * environment: what such a process says counts for its own uid only.
 */
export function gatewayProcesses(): GatewayProcess[] {
  return pids().flatMap((pid) => {
    if (commOf(pid) !== GATEWAY_COMM) return [];
    const uid = uidOf(pid);
    if (uid === null) return [];
    const cgroup = readText(`/proc/${pid}/cgroup`);
    return [
      {
        pid,
        uid,
        variables: variablesOf(pid),
        unit: unitOfCgroup(cgroup),
        container: containerOfCgroup(cgroup),
      },
    ];
  });
}

export function pids(): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .sort((left, right) => left - right);
}

export function commOf(pid: number): string {
  return readText(`/proc/${pid}/comm`).trimEnd();
}

/** Returns the parent of a process, 0 when there is none. */
export function parentOf(pid: number): number {
  // The name stands in parentheses and may contain anything; the parent is the second field after it.
  const stat = readText(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? 0);
}

/** Returns the inodes of the sockets that a process holds. */
export function socketsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

function uidOf(pid: number): number | null {
  const match = /^Uid:\s+\d+\s+(\d+)/m.exec(readText(`/proc/${pid}/status`));
  return match === null ? null : Number(match[1]);
}

function variablesOf(pid: number): Map<string, string> {
  const found = new Map<string, string>();
  for (const entry of readBeginning(`/proc/${pid}/environ`, ENVIRON_BYTES_MAX).split("\0")) {
    const equals = entry.indexOf("=");
    if (equals > 0) found.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  return found;
}

function readBeginning(path: string, bytesMax: number): string {
  let file = -1;
  try {
    file = openSync(path, "r");
    const bytes = Buffer.alloc(bytesMax);
    let length = 0;
    for (let got = -1; got !== 0 && length < bytesMax; length += got) {
      got = readSync(file, bytes, length, bytesMax - length, null);
    }
    return bytes.toString("utf8", 0, length);
  } catch {
    return "";
  } finally {
    if (file >= 0) closeSync(file);
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
