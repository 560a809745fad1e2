import { closeSync, constants, existsSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execFileSync } from "node:child_process";
import { IFF_NO_PI, IFF_TUN, ioctl, readFd, TUNSETIFF, throwErrno, writeFd } from "./libc.ts";

const NODE_PATH = "/dev/net/tun";
const IFREQ_BYTES = 40;
const IFNAMSIZ = 16;
const PACKET_MAX_BYTES = 65_535;

/**
 * One network interface whose far end is this process. What is written is received by the kernel before
 * `write` returns (tun_get_user calls the receive path itself), so that its answer can be read at once.
 */
export interface Tun {
  readonly name: string;
  write(packet: Uint8Array): void;
  /** The next packet the kernel sent out, or undefined. The view is valid until the next read. */
  read(): Uint8Array | undefined;
  /** Throws away what is waiting; returns how many packets that were. */
  drain(): number;
  close(): void;
}

/** Makes the interface `name` (still down) in the network namespace of this process. */
export function openTun(name: string): Tun {
  if (name.length >= IFNAMSIZ) throw new Error(`interface name too long: ${name}`);
  const fd = openNode();
  const request = Buffer.alloc(IFREQ_BYTES);
  request.write(name, 0, "latin1");
  request.writeUInt16LE(IFF_TUN | IFF_NO_PI, IFNAMSIZ);
  ioctl(fd, TUNSETIFF, request);
  const buffer = Buffer.alloc(PACKET_MAX_BYTES);
  const read = (): Uint8Array | undefined => {
    const size = readFd(fd, buffer, buffer.length);
    return size > 0 ? buffer.subarray(0, size) : undefined;
  };
  return {
    name,
    write: (packet) => {
      if (writeFd(fd, packet, packet.length) !== packet.length) throwErrno(`write to ${name}`);
    },
    read,
    drain: () => {
      let count = 0;
      while (read() !== undefined) count += 1;
      return count;
    },
    close: () => closeSync(fd),
  };
}

function openNode(): number {
  const flags = constants.O_RDWR | constants.O_NONBLOCK;
  if (existsSync(NODE_PATH)) return openSync(NODE_PATH, flags);
  // Small containers have the driver and not the device file.
  const folder = mkdtempSync(join(tmpdir(), "tun-"));
  try {
    const path = join(folder, "tun");
    execFileSync("mknod", [path, "c", "10", "200"]);
    return openSync(path, flags);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
