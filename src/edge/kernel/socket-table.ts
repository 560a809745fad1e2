/**
 * The sockets of this network namespace, by sock_diag(7): whose each is, and ending one of them. The kernel tells
 * the owner of a socket only while it is open.
 */
import { addressBytes, addressText } from "../../core/event/address.ts";
import { eachAttribute, eachMessage, NLMSG_DONE, NLMSG_ERROR } from "../../core/event/decode/netlink.ts";
import { NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST } from "./netlink/message.ts";
import {
  closeNetlink,
  netlinkError,
  type NetlinkSocket,
  openNetlink,
  receiveNetlink,
  sendNetlink,
} from "./netlink/socket.ts";

export interface OpenSocket {
  readonly protocol: "tcp" | "udp";
  readonly isListening: boolean;
  /** Bytes may pass in at least one direction. */
  readonly isConnected: boolean;
  /** Canonical text, IPv4 for what an IPv6 socket does over IPv4; `0.0.0.0` and `::` are every address. */
  readonly address: string;
  readonly port: number;
  readonly peer: string;
  /** 0: it has none. */
  readonly peerPort: number;
  readonly uid: number;
  /** Its number, as proc(5) names it; "0": nobody holds it any more. */
  readonly inode: string;
  /** Whether an IPv6 socket was told to take nothing over IPv4. */
  readonly isOnlyIpv6: boolean;
  /** The number of its cgroup2, or null where the kernel does not say. */
  readonly cgroup: bigint | null;
}

/** Both ends of a TCP connection, as one of its sockets has them. */
export type SocketEnds = Pick<OpenSocket, "address" | "port" | "peer" | "peerPort">;

export interface SocketTable {
  /** Hands on every TCP and UDP socket, those that only wait for the network's time-outs aside. */
  eachSocket(onSocket: (socket: OpenSocket) => void): void;
  /** Hands on only those that wait for anybody: TCP listeners, and UDP sockets without a peer. */
  eachWaiting(onSocket: (socket: OpenSocket) => void): void;
  /** Ends one TCP connection at this end: its process is told, and so is the peer. False: there is none. */
  endTcp(ends: SocketEnds): boolean;
  close(): void;
}

const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const SOCK_DESTROY = 21;
const AF_INET = 2;
const AF_INET6 = 10;
const TCP = 6;
const UDP = 17;
const LISTEN = 10;
/** TCP_CLOSE, which of UDP is a socket that was not connected. */
const UNCONNECTED = 7;
/** ESTABLISHED (that is also UDP after connect(2)), FIN_WAIT1, FIN_WAIT2, CLOSE_WAIT. */
const CONNECTED = new Set([1, 4, 5, 8]);
/** Every state but TIME_WAIT (6) and NEW_SYN_RECV (12): those have no owner. */
const STATES = 0xffff & ~(1 << 6) & ~(1 << 12);
const REQUEST_BYTES = 72;
const MESSAGE_BYTES = 72;
const ID_AT = 4;
const ID_BYTES = 48;
const COOKIE_AT = 40;
/** INET_DIAG_CGROUP_ID of linux/inet_diag.h. */
const CGROUP_ID = 21;
/** INET_DIAG_SKV6ONLY. */
const ONLY_IPV6 = 11;
const ENOENT = 2;
const ANSWER_BYTES = 65_536;
const ANSWER_TIMEOUT_MS = 2_000;

/** Opens it. Refuses with SEAWALL_NETLINK and the errno name. */
export function openSocketTable(): SocketTable {
  const netlink = openNetlink(NETLINK_SOCK_DIAG, { receiveTimeoutMs: ANSWER_TIMEOUT_MS });
  const ask = createAsker(netlink);
  return {
    eachSocket: (onSocket) => dump(ask, { tcp: STATES, udp: STATES }, onSocket),
    eachWaiting: (onSocket) => dump(ask, { tcp: 1 << LISTEN, udp: 1 << UNCONNECTED }, onSocket),
    endTcp: (ends) => endOne(ask, ends),
    close: () => closeNetlink(netlink),
  };
}

function dump(
  ask: Ask,
  states: { readonly tcp: number; readonly udp: number },
  onSocket: (socket: OpenSocket) => void,
): void {
  for (const family of [AF_INET, AF_INET6]) {
    for (const protocol of [TCP, UDP]) {
      const wanted = protocol === TCP ? states.tcp : states.udp;
      const message = request(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, family, protocol, undefined, wanted);
      const errno = ask(message, (view, from, to) => onSocket(decode(view, from, to, protocol)));
      // A kernel without this protocol's part has no way to say whose its sockets are.
      if (errno !== 0 && errno !== ENOENT) throw netlinkError("the socket table refuses", errno);
    }
  }
}

type Ask = (message: Uint8Array, onSocket: (view: DataView, from: number, to: number) => void) => number;

/**
 * SECURITY: where no connection has these ends the kernel answers with the listener of the port, so what is found is
 * compared before it is ended, and ended by its cookie.
 */
function endOne(ask: Ask, ends: SocketEnds): boolean {
  // An IPv6 socket that speaks IPv4 is found by that, too.
  const family = ends.address.includes(":") ? AF_INET6 : AF_INET;
  const id = new Uint8Array(ID_BYTES);
  const view = new DataView(id.buffer);
  view.setUint16(0, ends.port);
  view.setUint16(2, ends.peerPort);
  id.set(addressBytes(ends.address), 4);
  id.set(addressBytes(ends.peer), 20);
  id.fill(0xff, COOKIE_AT);
  let isIt = false;
  ask(request(SOCK_DIAG_BY_FAMILY, NLM_F_ACK, family, TCP, id), (found, from, to) => {
    const socket = decode(found, from, to, TCP);
    isIt =
      !socket.isListening &&
      socket.address === ends.address &&
      socket.port === ends.port &&
      socket.peer === ends.peer &&
      socket.peerPort === ends.peerPort;
    id.set(new Uint8Array(found.buffer, from + ID_AT + COOKIE_AT, id.length - COOKIE_AT), COOKIE_AT);
  });
  if (!isIt) return false;
  return ask(request(SOCK_DESTROY, NLM_F_ACK, family, TCP, id), () => undefined) === 0;
}

function createAsker(netlink: NetlinkSocket): Ask {
  const answer = new Uint8Array(ANSWER_BYTES);
  const view = new DataView(answer.buffer);
  let sequence = 0;
  return (message, onSocket) => {
    sequence = (sequence + 1) >>> 0;
    new DataView(message.buffer).setUint32(8, sequence, true);
    sendNetlink(netlink, message);
    for (;;) {
      const length = receiveNetlink(netlink, answer);
      if (length < 0) throw netlinkError("the socket table does not answer", -length);
      let end: number | undefined;
      eachMessage(view, length, (type, from, to, number) => {
        if (number !== sequence) return;
        if (type === NLMSG_DONE || type === NLMSG_ERROR) end = to - from < 4 ? 0 : -view.getInt32(from, true);
        else if (to - from >= MESSAGE_BYTES) onSocket(view, from, to);
      });
      if (end !== undefined) return end;
    }
  };
}

/** A header and struct inet_diag_req_v2. */
function request(
  type: number,
  flags: number,
  family: number,
  protocol: number,
  id: Uint8Array = new Uint8Array(),
  states = STATES,
): Uint8Array {
  const bytes = new Uint8Array(REQUEST_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, REQUEST_BYTES, true);
  view.setUint16(4, type, true);
  view.setUint16(6, NLM_F_REQUEST | flags, true);
  bytes[16] = family;
  bytes[17] = protocol;
  view.setUint32(20, states, true);
  bytes.set(id, 24);
  return bytes;
}

/** struct inet_diag_msg. */
function decode(view: DataView, from: number, to: number, protocol: number): OpenSocket {
  const family = view.getUint8(from);
  const addressAt = (at: number): string =>
    addressText(unmapped(new Uint8Array(view.buffer, from + ID_AT + at, family === AF_INET ? 4 : 16)));
  let cgroup: bigint | null = null;
  let isOnlyIpv6 = false;
  eachAttribute(view, from + MESSAGE_BYTES, to, (type, start, end) => {
    if (type === CGROUP_ID && end - start === 8) cgroup = view.getBigUint64(start, true);
    if (type === ONLY_IPV6 && end - start === 1) isOnlyIpv6 = view.getUint8(start) === 1;
  });
  const state = view.getUint8(from + 1);
  return {
    protocol: protocol === TCP ? "tcp" : "udp",
    isListening: protocol === TCP && state === LISTEN,
    isConnected: CONNECTED.has(state),
    address: addressAt(4),
    port: view.getUint16(from + ID_AT),
    peer: addressAt(20),
    peerPort: view.getUint16(from + ID_AT + 2),
    uid: view.getUint32(from + 64, true),
    inode: String(view.getUint32(from + 68, true)),
    isOnlyIpv6,
    cgroup,
  };
}

/** Returns the IPv4 address in an IPv6 one of ::ffff:0:0/96, any other as it is. */
function unmapped(bytes: Uint8Array): Uint8Array {
  const isMapped =
    bytes.length === 16 &&
    bytes.subarray(0, 10).every((one) => one === 0) &&
    bytes[10] === 255 &&
    bytes[11] === 255;
  return isMapped ? bytes.subarray(12) : bytes;
}
