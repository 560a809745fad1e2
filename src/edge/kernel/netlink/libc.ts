/**
 * The one place where native code is called. koffi is loaded on first use (11 ms), so that commands which
 * never touch netlink do not pay for it.
 *
 * SECURITY: only plain calls with our own buffers; no callbacks and no pointers kept by the other side.
 */
import { SeawallError } from "../../../core/base/error.ts";

/** Calls of libc (section 2 of the manual). A negative result means that `errno()` says why. */
export interface Libc {
  socket(family: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  getsockname(fd: number, address: Uint8Array, length: Uint8Array): number;
  setsockopt(fd: number, level: number, name: number, value: Uint8Array, length: number): number;
  getsockopt(fd: number, level: number, name: number, value: Uint8Array, length: Uint8Array): number;
  send(fd: number, bytes: Uint8Array, length: number, flags: number): number;
  recv(fd: number, bytes: Uint8Array, length: number, flags: number): number;
  close(fd: number): number;
  flock(fd: number, operation: number): number;
  adjtimex(timex: Uint8Array): number;
  /** if_indextoname(3) with room for IF_NAMESIZE bytes; false when there is no such interface. */
  ifIndexToName(index: number, name: Uint8Array): boolean;
  /** renameat2(2) with RENAME_EXCHANGE: both paths swap what they name, in one step. False when it cannot be. */
  renameExchange(one: string, other: string): boolean;
  /** pidfd_open(2): a descriptor of the process that has this number now, or -1. */
  pidfdOpen(pid: number): number;
  /** pidfd_send_signal(2): to that very process and no other, whoever has its number by now; 0 asks whether it lives. */
  pidfdSignal(pidfd: number, signal: number): number;
  /** The error number of the last call, positive. */
  errno(): number;
}

/** System calls that not every C library wraps; the numbers are the same on every architecture. */
const SYS_PIDFD_SEND_SIGNAL = 424;
const SYS_PIDFD_OPEN = 434;

const AT_FDCWD = -100;
const RENAME_EXCHANGE = 2;

let loaded: Libc | undefined;

/** Returns libc. Refuses with SEAWALL_NETLINK where koffi has no build for this machine. */
export function libc(): Libc {
  loaded ??= load();
  return loaded;
}

function load(): Libc {
  const koffi = requireKoffi();
  // The symbols of the Node process itself: works with glibc and musl, whatever the file is called.
  const library = koffi.load(null);
  const returnsLong = (definition: string) => {
    const call = library.func(definition);
    return (...parameters: unknown[]): number => Number(call(...parameters));
  };
  const systemCall = returnsLong("long syscall(long, long, long, void *, long)");
  const indexToName = library.func("void *if_indextoname(uint32_t, void *)");
  return {
    socket: library.func("int socket(int, int, int)"),
    bind: library.func("int bind(int, void *, uint32_t)"),
    getsockname: library.func("int getsockname(int, void *, void *)"),
    setsockopt: library.func("int setsockopt(int, int, int, void *, uint32_t)"),
    getsockopt: library.func("int getsockopt(int, int, int, void *, void *)"),
    send: returnsLong("long send(int, void *, size_t, int)"),
    recv: returnsLong("long recv(int, void *, size_t, int)"),
    close: library.func("int close(int)"),
    adjtimex: library.func("int adjtimex(void *)"),
    flock: library.func("int flock(int, int)"),
    ifIndexToName: (index, name) => indexToName(index, name) !== null,
    renameExchange: (one, other) => {
      try {
        // Looked up when it is needed: not every C library has it.
        const rename = library.func("int renameat2(int, const char *, int, const char *, unsigned int)");
        return Number(rename(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE)) === 0;
      } catch {
        return false;
      }
    },
    pidfdOpen: (pid) => systemCall(SYS_PIDFD_OPEN, pid, 0, null, 0),
    pidfdSignal: (pidfd, signal) => systemCall(SYS_PIDFD_SEND_SIGNAL, pidfd, signal, null, 0),
    errno: () => koffi.errno(),
  };
}

/** The native part alone, where npm has put it (2 ms); else koffi's own search for it (7 ms). */
function requireKoffi(): typeof import("koffi") {
  const require = process.getBuiltinModule("node:module").createRequire(import.meta.url);
  const system = `linux-${process.arch}`;
  try {
    return require(
      `@koromix/koffi-${system}/${system.replace("-", "_")}/koffi.node`,
    ) as typeof import("koffi");
  } catch {
    // Another C library or another layout of node_modules.
  }
  try {
    return require("koffi") as typeof import("koffi");
  } catch (cause) {
    throw new SeawallError("SEAWALL_NETLINK", "the native bridge koffi does not load on this machine", {
      help: "install the package again on this machine (npm ci)",
      still: "rules in the kernel are in force, events are not recorded",
      cause,
    });
  }
}
