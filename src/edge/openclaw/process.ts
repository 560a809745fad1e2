/** Processes that call themselves OpenClaw's gateway, with what the kernel knows of them. */
import { closeSync, openSync, readSync } from "node:fs";
import { callsItselfGateway } from "../../core/openclaw/gateway-title.ts";
import { containerOfCgroup, type ContainerId, type UnitName, unitOfCgroup } from "../host/cgroup.ts";
import { processIds, readText } from "../host/proc.ts";

/** LIMIT: bytes of a command line that are read. */
const CMDLINE_BYTES_MAX = 16 * 1024;
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
  return processIds().flatMap((pid) => {
    const args = readBeginning(`/proc/${pid}/cmdline`, CMDLINE_BYTES_MAX).split("\0");
    if (!callsItselfGateway({ comm: commOf(pid), args: args.filter((word) => word !== "") })) return [];
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

export function commOf(pid: number): string {
  return readText(`/proc/${pid}/comm`).trimEnd();
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
