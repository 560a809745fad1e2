/** The netlink ports of this process, by which its own changes are told from those of others. */
import { libc } from "./libc.ts";

/** LIMIT: ports remembered after their socket was closed: what it sent may be read later. */
const CLOSED_MAX = 64;
const ADDRESS_BYTES = 12;
const PORT_AT = 4;

const open = new Map<number, number>();
const closed: number[] = [];

/** Remembers the port that the kernel chose for a bound socket. */
export function notePort(fd: number): void {
  const address = new Uint8Array(ADDRESS_BYTES);
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, ADDRESS_BYTES, true);
  if (libc().getsockname(fd, address, length) < 0) return;
  open.set(fd, new DataView(address.buffer).getUint32(PORT_AT, true));
}

/** Says that the socket is closed. */
export function forgetPort(fd: number): void {
  const port = open.get(fd);
  open.delete(fd);
  if (port === undefined) return;
  closed.push(port);
  if (closed.length > CLOSED_MAX) closed.shift();
}

/** Whether a netlink socket of this process has the port, or had it shortly before. */
export function isOwnPort(port: number): boolean {
  return closed.includes(port) || [...open.values()].includes(port);
}
