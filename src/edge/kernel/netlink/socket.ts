import { SeawallError } from "../../../core/base/error.ts";
import { libc } from "./libc.ts";
import { forgetPort, notePort } from "./own-port.ts";

// Asked for, not imported: see cli/main.ts.
const fs = process.getBuiltinModule("node:fs");

/** A bound netlink(7) socket. `fd` belongs to whoever opened it: closeNetlink exactly once. */
export interface NetlinkSocket {
  readonly fd: number;
}

export interface NetlinkOptions {
  /** Bytes of kernel memory for messages not read yet; above the system's limit with CAP_NET_ADMIN. */
  readonly receiveBufferBytes?: number;
  /** A blocking read returns EAGAIN after this time, so that a reader can stop. */
  readonly receiveTimeoutMs?: number;
  /** A multicast group to join; its messages of this network namespace arrive from now on. */
  readonly multicastGroup?: number;
}

export const NETLINK_NETFILTER = 12;
/** LIMIT: the largest datagram read; nfnetlink_log fills at most 128 KiB (NFULNL_NLBUFSIZ_MAX). */
export const DATAGRAM_MAX_BYTES = 262_144;

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 0x80003;
const MSG_DONTWAIT = 0x40;
const ENOBUFS = 105;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;
/** Room for one transaction of set elements. */
const SEND_BUFFER_BYTES = 16_777_216;

/** Returns a bound socket of a netlink family. Refuses with SEAWALL_NETLINK and the errno name. */
export function openNetlink(protocol: number, options: NetlinkOptions = {}): NetlinkSocket {
  const fd = libc().socket(AF_NETLINK, SOCK_RAW_CLOEXEC, protocol);
  if (fd < 0) throw netlinkError("a netlink socket cannot be opened", libc().errno());
  try {
    // Port 0 lets the kernel choose; no multicast groups.
    const address = new Uint8Array(12);
    address[0] = AF_NETLINK;
    if (libc().bind(fd, address, address.length) < 0) throw netlinkError("bind", libc().errno());
    setSize(fd, SO_SNDBUFFORCE, SEND_BUFFER_BYTES);
    if (options.receiveBufferBytes !== undefined) setSize(fd, SO_RCVBUFFORCE, options.receiveBufferBytes);
    if (options.receiveTimeoutMs !== undefined) setReceiveTimeout(fd, options.receiveTimeoutMs);
    if (options.multicastGroup !== undefined) joinGroup(fd, options.multicastGroup);
  } catch (error) {
    libc().close(fd);
    throw error;
  }
  notePort(fd);
  return { fd };
}

export function closeNetlink(socket: NetlinkSocket): void {
  libc().close(socket.fd);
  forgetPort(socket.fd);
}

/** Sends whole messages. The kernel has acted on them when this returns; its answer waits in the socket. */
export function sendNetlink(socket: NetlinkSocket, bytes: Uint8Array, length = bytes.length): void {
  const sent = libc().send(socket.fd, bytes, length, 0);
  if (sent !== length) throw netlinkError("netlink send", sent < 0 ? libc().errno() : 0);
}

/** Returns the length of the next datagram in `into`, or the negative errno. Blocks up to the time limit. */
export function receiveNetlink(socket: NetlinkSocket, into: Uint8Array): number {
  const length = libc().recv(socket.fd, into, into.length, 0);
  return length < 0 ? -libc().errno() : length;
}

/** Throws away every datagram that waits, for example the further errors of a refused transaction. */
export function drainNetlink(socket: NetlinkSocket, into: Uint8Array): void {
  while (libc().recv(socket.fd, into, into.length, MSG_DONTWAIT) >= 0);
}

export interface NetlinkReader {
  /** The bytes are only valid during the call: the buffer is used again. */
  readonly onDatagram: (bytes: Uint8Array, length: number) => void;
  /** ENOBUFS: the kernel had to drop messages for us. */
  readonly onOverrun: () => void;
  readonly onFailure: (error: SeawallError) => void;
}

/**
 * Reads until `stop` is called, one datagram at a time, on a thread of the pool; the socket needs a receive
 * timeout. What else waits by then is read at once, up to `furtherMax` datagrams, which costs a tenth. `stop`
 * resolves when no read is under way any more, and only then may the socket be closed.
 */
export function readNetlink(
  socket: NetlinkSocket,
  reader: NetlinkReader,
  furtherMax = 0,
): { stop(): Promise<void> } {
  const buffer = Buffer.alloc(DATAGRAM_MAX_BYTES);
  const ended = Promise.withResolvers<void>();
  let stopping = false;
  const readFurther = (): void => {
    for (let count = 0; count < furtherMax && !stopping; count += 1) {
      const length = libc().recv(socket.fd, buffer, buffer.length, MSG_DONTWAIT);
      if (length >= 0) reader.onDatagram(buffer, length);
      else if (libc().errno() === ENOBUFS) reader.onOverrun();
      // Whatever else it is, the next read meets it too.
      else return;
    }
  };
  const next = (): void => {
    if (stopping) ended.resolve();
    else fs.read(socket.fd, buffer, 0, buffer.length, null, arrived);
  };
  const arrived = (error: NodeJS.ErrnoException | null, length: number): void => {
    if (error === null) reader.onDatagram(buffer, length);
    else if (error.code === "ENOBUFS") reader.onOverrun();
    else if (error.code !== "EAGAIN" && error.code !== "EINTR") {
      stopping = true;
      reader.onFailure(new SeawallError("SEAWALL_NETLINK", `reading from netlink failed: ${error.code}`));
    }
    readFurther();
    next();
  };
  next();
  return {
    stop: () => {
      stopping = true;
      return ended.promise;
    },
  };
}

/** An error that names the errno; `what` says what was tried. */
export function netlinkError(what: string, errno: number): SeawallError {
  const options = errno === 1 ? { help: "run as root or with CAP_NET_ADMIN" } : {};
  return new SeawallError("SEAWALL_NETLINK", `${what}: ${errnoName(errno)}`, options);
}

/** Returns the name of a positive error number, `EPERM` for 1. */
export function errnoName(errno: number): string {
  return errno > 0 ? process.getBuiltinModule("node:util").getSystemErrorName(-errno) : "unknown error";
}

function setSize(fd: number, option: number, bytes: number): void {
  const value = new Uint8Array(4);
  new DataView(value.buffer).setInt32(0, bytes, true);
  if (libc().setsockopt(fd, SOL_SOCKET, option, value, value.length) < 0) {
    throw netlinkError("the buffer of a netlink socket cannot be set", libc().errno());
  }
}

function joinGroup(fd: number, group: number): void {
  const value = new Uint8Array(4);
  new DataView(value.buffer).setUint32(0, group, true);
  if (libc().setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, value, value.length) < 0) {
    throw netlinkError(`multicast group ${group} of netlink cannot be joined`, libc().errno());
  }
}

/** `struct timeval` of 64-bit Linux. */
function setReceiveTimeout(fd: number, timeoutMs: number): void {
  const value = new Uint8Array(16);
  const view = new DataView(value.buffer);
  view.setBigInt64(0, BigInt(Math.trunc(timeoutMs / 1000)), true);
  view.setBigInt64(8, BigInt(timeoutMs % 1000) * 1000n, true);
  if (libc().setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, value, value.length) < 0) {
    throw netlinkError("the time limit of a netlink socket cannot be set", libc().errno());
  }
}
