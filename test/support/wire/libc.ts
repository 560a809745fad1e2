/** The few calls of libc that the packet harness needs, straight on buffers. */
import { getSystemErrorName } from "node:util";
import koffi from "koffi";

// The program itself has libc's symbols, whichever libc it is (glibc or musl).
const libc = koffi.load(null);

export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_RAW = 3;
export const SOCK_NONBLOCK = 0o4000;
export const IPPROTO_RAW = 255;
export const TUNSETIFF = 0x400454ca;
export const IFF_TUN = 0x0001;
export const IFF_NO_PI = 0x1000;

type ReadWrite = (fd: number, buffer: Uint8Array, length: number) => number;

/** read(2): bytes read, or -1 (on a non-blocking descriptor mostly: nothing there). */
export const readFd: ReadWrite = libc.func("read", "long", ["int", "void *", "size_t"]);
export const writeFd: ReadWrite = libc.func("write", "long", ["int", "const void *", "size_t"]);
const ioctlCall: (fd: number, request: number, argument: Uint8Array) => number = libc.func("ioctl", "int", [
  "int",
  "unsigned long",
  "void *",
]);
const socketCall: (domain: number, type: number, protocol: number) => number = libc.func("socket", "int", [
  "int",
  "int",
  "int",
]);
const setfsuidCall: (uid: number) => number = libc.func("setfsuid", "int", ["uint32_t"]);
type SendTo = (
  fd: number,
  data: Uint8Array,
  length: number,
  flags: number,
  address: Uint8Array,
  addressLength: number,
) => number;
/** sendto(2): bytes sent, or -1. */
export const sendTo: SendTo = libc.func("sendto", "long", [
  "int",
  "const void *",
  "size_t",
  "int",
  "const void *",
  "uint32_t",
]);

/** Throws with the name of errno. Call it right after the failed call. */
export function throwErrno(what: string): never {
  const number = koffi.errno();
  throw new Error(`${what}: ${number > 0 ? getSystemErrorName(-number) : "unknown error"}`);
}

export function ioctl(fd: number, request: number, argument: Uint8Array): void {
  if (ioctlCall(fd, request, argument) < 0) throwErrno("ioctl");
}

/**
 * Returns a socket that the kernel takes for one of user `uid`: nftables' `meta skuid` reads the file
 * system uid that the file was opened with. Our capabilities stay (setfsuid(2) keeps CAP_NET_RAW).
 */
export function socketAs(uid: number, domain: number, type: number, protocol: number): number {
  setfsuidCall(uid);
  try {
    const fd = socketCall(domain, type, protocol);
    if (fd < 0) throwErrno("socket");
    return fd;
  } finally {
    setfsuidCall(0);
  }
}
