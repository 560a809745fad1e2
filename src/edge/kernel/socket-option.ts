/** What the kernel knows of a socket that Node does not ask for. */
import type { Socket } from "node:net";
import { isLoopback, type Ip } from "../../core/net/ip.ts";
import { libc } from "./netlink/libc.ts";

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** Linux 6.5: a pidfd of the process that connected, however its number is used since. */
const SO_PEERPIDFD = 77;
const SOL_IP = 0;
const SOL_IPV6 = 41;
/** SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST, for connections that a redirect brought here. */
const ORIGINAL_DST = 80;
const AF_INET = 2;
const AF_INET6 = 10;

/** Returns who was at the other end of a unix socket when it connected, or null (unix(7), SO_PEERCRED). */
export function peerOf(socket: Socket): { readonly pid: number; readonly uid: number } | null {
  const value = new Uint8Array(12);
  if (!getOption(socket, SOL_SOCKET, SO_PEERCRED, value)) return null;
  const view = new DataView(value.buffer);
  return { pid: view.getInt32(0, true), uid: view.getUint32(4, true) };
}

/** Returns a pidfd of the process that connected, to be closed by the caller; null before Linux 6.5. */
export function peerPidfd(socket: Socket): number | null {
  const value = new Uint8Array(4);
  if (!getOption(socket, SOL_SOCKET, SO_PEERPIDFD, value)) return null;
  return new DataView(value.buffer).getInt32(0, true);
}

/** Returns the uid of the process at the other end of a unix socket, or null. */
export function peerUid(socket: Socket): number | null {
  return peerOf(socket)?.uid ?? null;
}

/**
 * Returns where a redirected TCP connection was going, or null: it was not redirected, or is over already. A
 * connection that went to the door itself has its own address as destination.
 */
export function originalDestination(socket: Socket): { readonly address: Ip; readonly port: number } | null {
  const isV6 = socket.localFamily === "IPv6";
  const value = new Uint8Array(isV6 ? 28 : 16);
  if (!getOption(socket, isV6 ? SOL_IPV6 : SOL_IP, ORIGINAL_DST, value)) return null;
  const view = new DataView(value.buffer);
  const family = view.getUint16(0, true);
  const port = view.getUint16(2, false);
  if (!isV6)
    return family === AF_INET ? { address: { family: 4, value: view.getUint32(4, false) }, port } : null;
  if (family !== AF_INET6) return null;
  const address: Ip = {
    family: 6,
    value: (view.getBigUint64(8, false) << 64n) | view.getBigUint64(16, false),
  };
  return { address, port };
}

/** Whether a destination is a door of ours: somebody connected to it directly, and nothing was diverted. */
export function isOwnDoor(
  destination: { readonly address: Ip; readonly port: number },
  socket: Socket,
): boolean {
  return destination.port === socket.localPort || isLoopback(destination.address);
}

/** Where Node keeps the descriptor of a socket; it offers no other way to it. */
const HANDLE = "_handle";

function descriptorOf(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, HANDLE);
  if (typeof handle !== "object" || handle === null || !("fd" in handle)) return -1;
  return typeof handle.fd === "number" ? handle.fd : -1;
}

function getOption(socket: Socket, level: number, option: number, value: Uint8Array): boolean {
  const fd = descriptorOf(socket);
  if (fd < 0) return false;
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, value.length, true);
  return libc().getsockopt(fd, level, option, value, length) === 0;
}
