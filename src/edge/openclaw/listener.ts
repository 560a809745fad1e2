import { accessSync, constants, readFileSync } from "node:fs";
import type { Listener } from "../../core/init/facts.ts";
import { type Ip, isLoopback, parseIp } from "../../core/net/ip.ts";
import { processIds } from "../host/proc.ts";
import { socketsOf } from "../host/socket.ts";
import { commOf } from "./process.ts";

/** TCP_LISTEN; and the state that udp(7) sockets without a peer show. */
const WAITING = { tcp: "0A", udp: "07" } as const;

/** Returns every listening socket of this network namespace with its process (proc(5) /proc/net). */
export function listeners(): Listener[] {
  const owners = new Map<string, number>();
  for (const pid of processIds()) {
    // The first holder is the one that opened it: children have higher numbers.
    for (const { inode } of socketsOf(pid)) if (!owners.has(inode)) owners.set(inode, pid);
  }
  return (["tcp", "udp"] as const).flatMap((protocol) =>
    [`/proc/net/${protocol}`, `/proc/net/${protocol}6`].flatMap((path) =>
      rowsOf(path, WAITING[protocol]).map(({ ip, port, inode }) => {
        const pid = owners.get(inode) ?? null;
        const program = pid === null ? null : commOf(pid);
        return { protocol, port, isLoopback: isLoopback(ip), program, pid };
      }),
    ),
  );
}

/**
 * Whether a process holds a TCP socket of its own user's that listens, as the kernel has it; null when that is for root
 * to see. A socket that another user made and handed over is not its own.
 */
export function listensItself(pid: number, uid: number): boolean | null {
  if (!maySeeSockets(pid)) return null;
  const inodes = new Set(socketsOf(pid).map(({ inode }) => inode));
  return ["tcp", "tcp6"].some((protocol) =>
    rowsOf(`/proc/${pid}/net/${protocol}`, WAITING.tcp).some(
      (row) => row.uid === uid && inodes.has(row.inode),
    ),
  );
}

/** One that is gone has none. */
function maySeeSockets(pid: number): boolean {
  try {
    accessSync(`/proc/${pid}/fd`, constants.R_OK);
    return true;
  } catch (cause) {
    return !(cause instanceof Error && "code" in cause && cause.code === "EACCES");
  }
}

interface Row {
  readonly ip: Ip;
  readonly port: number;
  readonly inode: string;
  /** Who made the socket. */
  readonly uid: number;
}

function rowsOf(path: string, state: string): Row[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return [];
  }
  return text
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const fields = line.trim().split(/\s+/);
      const [local = "", peer = "", found, uid, inode] = [1, 2, 3, 7, 9].map((at) => fields[at]);
      const [address = "", port = ""] = local.split(":");
      const ip = addressOf(address);
      if (found !== state || ip === undefined || inode === undefined || !/^[0-9A-F]+:0000$/.test(peer))
        return [];
      return [{ ip, port: Number.parseInt(port, 16), inode, uid: Number(uid) }];
    });
}

/** Addresses are hexadecimal words in host byte order. */
function addressOf(text: string): Ip | undefined {
  const bytes = (text.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).toReversed());
  if (bytes.length === 4) return parseIp(bytes.map((byte) => Number.parseInt(byte, 16)).join("."));
  return parseIp((bytes.join("").match(/.{4}/g) ?? []).join(":"));
}
