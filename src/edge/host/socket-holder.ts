/** Which process holds a socket, by what the kernel shows of its descriptors. */
import { readdirSync, readlinkSync } from "node:fs";

export interface SocketHolder {
  readonly pid: number;
  /** Its executable as the kernel has it, or null. SECURITY: anybody may call a file of his what he likes. */
  readonly program: string | null;
}

/** LIMIT: descriptors that are looked at for one answer. */
const DESCRIPTORS_MAX = 200_000;

/** Returns the first process that holds the socket with this inode, or null: none is seen. */
export function holderOf(inode: number): SocketHolder | null {
  if (inode === 0) return null;
  const wanted = `socket:[${inode}]`;
  let left = DESCRIPTORS_MAX;
  for (const pid of namesIn("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    for (const one of namesIn(`/proc/${pid}/fd`)) {
      left -= 1;
      if (left < 0) return null;
      if (linkOf(`/proc/${pid}/fd/${one}`) !== wanted) continue;
      return { pid: Number(pid), program: linkOf(`/proc/${pid}/exe`) };
    }
  }
  return null;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}
