import { readFileSync } from "node:fs";
import { SeawallError } from "../../core/base/error.ts";
import { NLMSG_ERROR } from "../../core/event/decode/netlink.ts";
import {
  attribute,
  messageType,
  netfilterMessage,
  NLM_F_ACK,
  NLM_F_REQUEST,
  SUBSYSTEM,
  u16,
  u32,
  u8,
} from "./netlink/message.ts";
import {
  closeNetlink,
  NETLINK_NETFILTER,
  netlinkError,
  type NetlinkReader,
  type NetlinkSocket,
  openNetlink,
  readNetlink,
  receiveNetlink,
  sendNetlink,
} from "./netlink/socket.ts";

export interface NflogOptions extends NetlinkReader {
  readonly group: number;
  /** Kernel memory for datagrams not read yet; NFLOG_BUFFER_BYTES unless a test says otherwise. */
  readonly receiveBufferBytes?: number;
}

/** Kernel memory for what is not read yet: about 60,000 events. */
export const NFLOG_BUFFER_BYTES = 16 * 1024 * 1024;
/** The kernel wakes us for so many packets, */
export const NFLOG_QUEUE_THRESHOLD = 64;
/** or after this time (unit of the kernel: 1/100 s). */
export const NFLOG_TIMEOUT_CENTISECONDS = 10;
/** Bytes of each packet: IPv6 with extension headers and a transport header. */
export const NFLOG_SNAP_BYTES = 256;
/** Bytes of one datagram, the kernel's maximum. */
const NFLOG_DATAGRAM_BYTES = 131_072;
const RECEIVE_TIMEOUT_MS = 200;

const NFULNL_MSG_CONFIG = 1;
/** Attributes and values of linux/netfilter/nfnetlink_log.h. */
const NFULA_CFG = { command: 1, mode: 2, datagramBytes: 3, timeout: 4, queueThreshold: 5, flags: 6 } as const;
const NFULNL_CFG_CMD_BIND = 1;
const NFULNL_COPY_PACKET = 2;
const NFULNL_CFG_F_SEQ = 1;
const EPERM = 1;

/**
 * Binds a group of nfnetlink_log in this network namespace and reads its datagrams until `close`, which
 * resolves when the group is free again. Refuses with SEAWALL_BUSY when another process has the group.
 */
export function openNflog(options: NflogOptions): { close(): Promise<void> } {
  const socket = openNetlink(NETLINK_NETFILTER, {
    receiveBufferBytes: options.receiveBufferBytes ?? NFLOG_BUFFER_BYTES,
    receiveTimeoutMs: RECEIVE_TIMEOUT_MS,
  });
  try {
    configure(socket, options.group);
  } catch (error) {
    closeNetlink(socket);
    throw error;
  }
  const reading = readNetlink(socket, options);
  return {
    close: async () => {
      await reading.stop();
      closeNetlink(socket);
    },
  };
}

function configure(socket: NetlinkSocket, group: number): void {
  const bound = request(socket, group, attribute(NFULA_CFG.command, u8(NFULNL_CFG_CMD_BIND)));
  if (bound === EPERM) throw bindRefused(group);
  if (bound !== 0) throw netlinkError(`NFLOG group ${group} cannot be bound`, bound);
  const mode = Uint8Array.of(...u32(NFLOG_SNAP_BYTES), NFULNL_COPY_PACKET, 0);
  for (const setting of [
    attribute(NFULA_CFG.mode, mode),
    attribute(NFULA_CFG.datagramBytes, u32(NFLOG_DATAGRAM_BYTES)),
    attribute(NFULA_CFG.timeout, u32(NFLOG_TIMEOUT_CENTISECONDS)),
    attribute(NFULA_CFG.queueThreshold, u32(NFLOG_QUEUE_THRESHOLD)),
    attribute(NFULA_CFG.flags, u16(NFULNL_CFG_F_SEQ)),
  ]) {
    const errno = request(socket, group, setting);
    if (errno !== 0) throw netlinkError(`NFLOG group ${group} cannot be set up`, errno);
  }
}

/** Sends one setting and returns the errno of the answer. Packets that arrive before it are passed over. */
function request(socket: NetlinkSocket, group: number, setting: Uint8Array): number {
  sendNetlink(
    socket,
    netfilterMessage({
      type: messageType(SUBSYSTEM.log, NFULNL_MSG_CONFIG),
      flags: NLM_F_REQUEST | NLM_F_ACK,
      sequence: 1,
      family: 0,
      resource: group,
      attributes: [setting],
    }),
  );
  const answer = new Uint8Array(NFLOG_DATAGRAM_BYTES);
  const view = new DataView(answer.buffer);
  for (;;) {
    const length = receiveNetlink(socket, answer);
    if (length < 0) return -length;
    if (length >= 20 && view.getUint16(4, true) === NLMSG_ERROR) return -view.getInt32(16, true);
  }
}

/** The kernel says EPERM both for a group that is taken and for a missing capability. */
function bindRefused(group: number): SeawallError {
  const holder = groupHolder(group);
  if (holder === undefined) return netlinkError(`NFLOG group ${group} cannot be bound`, EPERM);
  return new SeawallError("SEAWALL_BUSY", `NFLOG group ${group} is already read by netlink port ${holder}`, {
    help: `stop the other daemon in this network namespace (the port is usually its process id: ps ${holder})`,
    still: "rules in the kernel are in force, the other process records the events",
  });
}

/** The netlink port that has the group, from /proc/net/netfilter/nfnetlink_log of this namespace. */
function groupHolder(group: number): string | undefined {
  try {
    const lines = readFileSync("/proc/net/netfilter/nfnetlink_log", "latin1").split("\n");
    const fields = lines.map((line) => line.trim().split(/\s+/)).find((words) => words[0] === String(group));
    return fields?.[1];
  } catch {
    return undefined;
  }
}
