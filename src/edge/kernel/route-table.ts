/** Where an address is, by the routing tables of this network namespace; asked by netlink, so it may be asked often. */
import type { Whereabouts } from "../../core/cut/around.ts";
import { addressBytes } from "../../core/event/address.ts";
import { eachAttribute, eachMessage, NLMSG_ERROR } from "../../core/event/decode/netlink.ts";
import { createInterfaceNames } from "./netlink/interface-name.ts";
import { attribute, concat, NLM_F_REQUEST } from "./netlink/message.ts";
import { closeNetlink, netlinkError, openNetlink, receiveNetlink, sendNetlink } from "./netlink/socket.ts";

export interface RouteTable {
  whereIs(address: string): Whereabouts;
  close(): void;
}

const NETLINK_ROUTE = 0;
const RTM_NEWROUTE = 24;
const RTM_GETROUTE = 26;
const ROUTE_BYTES = 12;
const HEADER_BYTES = 16;
const RTA = { destination: 1, outgoing: 4 } as const;
/** RTN_UNICAST; RTN_LOCAL, _BROADCAST, _ANYCAST and _MULTICAST. */
const UNICAST = 1;
const HERE = new Set([2, 3, 4, 5]);
const ANSWER_BYTES = 16_384;
const ANSWER_TIMEOUT_MS = 2_000;
/** LIMIT: addresses remembered at once. */
const KNOWN_MAX = 16_384;
const UNKNOWN: Whereabouts = { kind: "unknown" };

/** Opens it; what was asked is remembered until it is closed. Refuses with SEAWALL_NETLINK and the errno name. */
export function openRouteTable(): RouteTable {
  const netlink = openNetlink(NETLINK_ROUTE, { receiveTimeoutMs: ANSWER_TIMEOUT_MS });
  const answer = new Uint8Array(ANSWER_BYTES);
  const view = new DataView(answer.buffer);
  const nameOf = createInterfaceNames(() => 0);
  const known = new Map<string, Whereabouts>();
  let sequence = 0;
  const ask = (address: string): Whereabouts => {
    sequence = (sequence + 1) >>> 0;
    sendNetlink(netlink, question(address, sequence));
    for (;;) {
      const length = receiveNetlink(netlink, answer);
      if (length < 0) throw netlinkError("the routing table does not answer", -length);
      let found: Whereabouts | undefined;
      eachMessage(view, length, (type, from, to, number) => {
        if (number !== sequence) return;
        if (type === RTM_NEWROUTE) found = decode(view, from, to, nameOf);
        else if (type === NLMSG_ERROR) found = UNKNOWN;
      });
      if (found !== undefined) return found;
    }
  };
  return {
    whereIs: (address) => {
      const before = known.get(address);
      if (before !== undefined) return before;
      if (known.size >= KNOWN_MAX) known.clear();
      const found = ask(address);
      known.set(address, found);
      return found;
    },
    close: () => closeNetlink(netlink),
  };
}

/** A header, struct rtmsg and the address. */
function question(address: string, sequence: number): Uint8Array {
  const bytes = addressBytes(address);
  const head = new Uint8Array(HEADER_BYTES + ROUTE_BYTES);
  head[16] = bytes.length === 4 ? 2 : 10;
  head[17] = bytes.length * 8;
  const message = concat([head, attribute(RTA.destination, bytes)]);
  const view = new DataView(message.buffer);
  view.setUint32(0, message.length, true);
  view.setUint16(4, RTM_GETROUTE, true);
  view.setUint16(6, NLM_F_REQUEST, true);
  view.setUint32(8, sequence, true);
  return message;
}

function decode(
  view: DataView,
  from: number,
  to: number,
  nameOf: (index: number) => string | null,
): Whereabouts {
  if (to - from < ROUTE_BYTES) return UNKNOWN;
  const type = view.getUint8(from + 7);
  if (HERE.has(type)) return { kind: "here" };
  let link: string | null = null;
  eachAttribute(view, from + ROUTE_BYTES, to, (attributeType, start, end) => {
    if (attributeType === RTA.outgoing && end - start === 4) link = nameOf(view.getUint32(start, true));
  });
  return type === UNICAST && link !== null ? { kind: "beyond", link } : UNKNOWN;
}
