/** The TCP sockets of this network namespace with their owners, and which process holds which (proc(5) /proc/net). */
import { readdirSync } from "node:fs";
import { type Ip, parseIp } from "../../core/net/ip.ts";
import { kernelLink, processIds, readText } from "./proc.ts";

export interface TcpSocket {
  readonly state: "listening" | "established";
  readonly local: Ip;
  readonly localPort: number;
  readonly peer: Ip;
  readonly peerPort: number;
  /** Who made it, as this user namespace numbers it. */
  readonly uid: number;
  readonly inode: string;
}

const STATES: Readonly<Record<string, TcpSocket["state"]>> = { "01": "established", "0A": "listening" };

/** Returns every listening and every established TCP socket; an IPv6 socket that speaks IPv4 is told as that. */
export function tcpSockets(): TcpSocket[] {
  return ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((path) =>
    readText(path)
      .split("\n")
      .slice(1)
      .flatMap((line) => socketOfLine(line) ?? []),
  );
}

function socketOfLine(line: string): TcpSocket | undefined {
  const fields = line.trim().split(/\s+/);
  const [local, peer] = [endpoint(fields[1]), endpoint(fields[2])];
  const [state, uid, inode] = [STATES[fields[3] ?? ""], fields[7], fields[9]];
  if (local === undefined || peer === undefined || state === undefined) return undefined;
  if (uid === undefined || inode === undefined) return undefined;
  return {
    state,
    local: local.ip,
    localPort: local.port,
    peer: peer.ip,
    peerPort: peer.port,
    uid: Number(uid),
    inode,
  };
}

/** Addresses are hexadecimal words in host byte order, ports in network order. */
function endpoint(text: string | undefined): { ip: Ip; port: number } | undefined {
  const [address, port] = text?.split(":") ?? [];
  if (address === undefined || port === undefined) return undefined;
  const bytes = (address.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).toReversed());
  const ip = parseIp(
    bytes.length === 4
      ? bytes.map((byte) => Number.parseInt(byte, 16)).join(".")
      : (bytes.join("").match(/.{4}/g) ?? []).join(":"),
  );
  return ip === undefined ? undefined : { ip, port: Number.parseInt(port, 16) };
}

export interface HeldSocket {
  readonly fd: number;
  readonly inode: string;
}

/** Returns the sockets that a process holds, by ascending descriptor; empty when it is gone or not ours to ask. */
export function socketsOf(pid: number): HeldSocket[] {
  return descriptorsOf(pid).flatMap((fd) => {
    const inode = /^socket:\[(\d+)\]$/.exec(kernelLink(`/proc/${pid}/fd/${fd}`) ?? "")?.[1];
    return inode === undefined ? [] : [{ fd, inode }];
  });
}

/** Returns the open descriptors of a process, ascending. */
export function descriptorsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/fd`)
      .map(Number)
      .sort((left, right) => left - right);
  } catch {
    return [];
  }
}

export interface SocketHolder {
  readonly pid: number;
  /** Its executable as the kernel has it, or null. SECURITY: anybody may call a file of his what he likes. */
  readonly program: string | null;
}

/** LIMIT: sockets that are looked at for one answer. */
const HELD_SOCKETS_MAX = 200_000;

/** Returns the first process that holds the socket with this inode, or null: none is seen. */
export function holderOf(inode: string): SocketHolder | null {
  let left = HELD_SOCKETS_MAX;
  for (const pid of inode === "0" ? [] : processIds()) {
    const held = socketsOf(pid);
    if (held.some((socket) => socket.inode === inode))
      return { pid, program: kernelLink(`/proc/${pid}/exe`) ?? null };
    left -= held.length;
    if (left < 0) return null;
  }
  return null;
}
