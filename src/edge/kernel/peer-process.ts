/** The process at the other end of a unix socket, held so that a signal can reach no other process. */
import { closeSync, readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { libc } from "./netlink/libc.ts";
import { peerOf, peerPidfd } from "./socket-option.ts";

export interface PeerProcess {
  /** Its number when it connected. Numbers are used again: never signal by it. */
  readonly pid: number;
  readonly uid: number;
  /** Kills it, if it still lives and this kernel can name it for sure. Returns whether the signal was sent. */
  readonly kill: () => boolean;
  /** Lets it go; `kill` does nothing from then on. */
  readonly release: () => void;
}

const SIGKILL = 9;

/**
 * Returns the process that connected, or null when the kernel does not say. SECURITY: a socket outlives its process,
 * and a number is another process's soon; so it is held by pidfd(2) from the moment it is accepted.
 */
export function holdPeer(socket: Socket): PeerProcess | null {
  const peer = peerOf(socket);
  if (peer === null) return null;
  let pidfd = peerPidfd(socket) ?? openChecked(peer.pid, peer.uid);
  return {
    ...peer,
    kill: () => pidfd !== null && libc().pidfdSignal(pidfd, SIGKILL) === 0,
    release: () => {
      if (pidfd !== null) closeSync(pidfd);
      pidfd = null;
    },
  };
}

/**
 * Returns a pidfd of the process with this number if it is one of this user, or null. The number may already be
 * another's: what is opened is then a process of the same user, or nothing. Root's are never opened so: whoever made
 * a child holds it by its handle.
 */
export function openChecked(pid: number, uid: number): number | null {
  if (pid <= 1 || uid === 0) return null;
  const pidfd = libc().pidfdOpen(pid);
  if (pidfd < 0) return null;
  // INVARIANT: alive after the look means that the number was its own during the look.
  if (uidsOf(pid).every((one) => one === uid) && libc().pidfdSignal(pidfd, 0) === 0) return pidfd;
  closeSync(pidfd);
  return null;
}

/** Returns the real, effective, saved and file system uid; NaN when they cannot be read. */
function uidsOf(pid: number): number[] {
  try {
    const line = /^Uid:\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)$/m.exec(
      readFileSync(`/proc/${pid}/status`, "latin1"),
    );
    return line === null ? [Number.NaN] : line.slice(1).map(Number);
  } catch {
    return [Number.NaN];
  }
}
