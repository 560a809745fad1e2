import { assert } from "../../core/base/assert.ts";
import { addressBytes } from "../../core/event/address.ts";
import {
  type ConntrackEntry,
  decodeConntrack,
  sameTuple,
  type Tuple,
} from "../../core/event/decode/conntrack.ts";
import { eachMessage, NLMSG_DONE, NLMSG_ERROR } from "../../core/event/decode/netlink.ts";
import {
  attribute,
  messageType,
  nested,
  netfilterMessage,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  SUBSYSTEM,
  u16,
  u32,
  u8,
} from "./netlink/message.ts";
import {
  closeNetlink,
  errnoName,
  NETLINK_NETFILTER,
  netlinkError,
  type NetlinkSocket,
  openNetlink,
  receiveNetlink,
  sendNetlink,
} from "./netlink/socket.ts";

/** The kernel of this machine has no conntrack interface, or not this part of it. */
export interface Unavailable {
  readonly kind: "unavailable";
  readonly why: string;
}

export type ConntrackAnswer =
  | {
      readonly kind: "entry";
      readonly entry: ConntrackEntry;
      /** Which direction of the connection the asked tuple is. */
      readonly direction: "original" | "reply";
    }
  /** No such connection, or nothing in this namespace tracks connections. */
  | { readonly kind: "none" }
  | Unavailable;

/** Entries whose mark, cut to `mask`, is `value`. */
export interface MarkFilter {
  readonly value: number;
  readonly mask: number;
}

/** The connection table of this network namespace. EPERM and broken sockets are SEAWALL_NETLINK. */
export interface Conntrack {
  /** Looks one connection up by either of its directions. */
  conntrackOf(tuple: Tuple): ConntrackAnswer;
  /** Hands on each entry, IPv4 and IPv6, that the filter selects in the kernel, and returns how many. */
  dumpMarks(
    filter: MarkFilter,
    onEntry: (entry: ConntrackEntry) => void,
  ): { kind: "done"; count: number } | Unavailable;
  /** Forgets one connection; `none` when it was gone. With an id only that very entry goes. */
  deleteEntry(tuple: Tuple, id: number | null): { kind: "deleted" } | { kind: "none" } | Unavailable;
  close(): void;
}

const IPCTNL = { new: 0, get: 1, delete: 2 } as const;
const CTA = { original: 1, mark: 8, id: 12, markMask: 21 } as const;
const AF_INET = 2;
const AF_INET6 = 10;
const ENOENT = 2;
/** What nfnetlink says to a subsystem that is not there. */
const ABSENT_ERRNOS = new Set([22, 93, 95, 97]);
const ANSWER_TIMEOUT_MS = 2_000;
const RECEIVE_BUFFER_BYTES = 1_048_576;
const ANSWER_MAX_BYTES = 65_536;

export function openConntrack(): Conntrack {
  const socket = openNetlink(NETLINK_NETFILTER, {
    receiveBufferBytes: RECEIVE_BUFFER_BYTES,
    receiveTimeoutMs: ANSWER_TIMEOUT_MS,
  });
  const answer = new Uint8Array(ANSWER_MAX_BYTES);
  const ask = createAsker(socket, answer);
  return {
    conntrackOf(tuple) {
      let found: ConntrackEntry | undefined;
      const errno = ask(IPCTNL.get, NLM_F_ACK, familyOf(tuple), [tupleAttribute(tuple)], (entry) => {
        found = entry;
      });
      if (errno === ENOENT || (errno === 0 && found === undefined)) return { kind: "none" };
      if (found === undefined) return unavailable(errno);
      return {
        kind: "entry",
        entry: found,
        direction: sameTuple(found.original, tuple) ? "original" : "reply",
      };
    },
    dumpMarks({ value, mask }, onEntry) {
      let count = 0;
      const filter = [attribute(CTA.mark, u32(value)), attribute(CTA.markMask, u32(mask))];
      const errno = ask(IPCTNL.get, NLM_F_DUMP, 0, filter, (entry) => {
        // A kernel without the filter sends everything.
        if ((entry.mark & mask) !== (value & mask)) return;
        count += 1;
        onEntry(entry);
      });
      return errno === 0 ? { kind: "done", count } : unavailable(errno);
    },
    deleteEntry(tuple, id) {
      const parts = [tupleAttribute(tuple), ...(id === null ? [] : [attribute(CTA.id, u32(id))])];
      // SECURITY: a delete message without a tuple empties the whole table; parts always holds one.
      const errno = ask(IPCTNL.delete, NLM_F_ACK, familyOf(tuple), parts, () => {});
      if (errno === 0) return { kind: "deleted" };
      return errno === ENOENT ? { kind: "none" } : unavailable(errno);
    },
    close: () => closeNetlink(socket),
  };
}

type Ask = (
  message: number,
  flags: number,
  family: number,
  attributes: readonly Uint8Array[],
  onEntry: (entry: ConntrackEntry) => void,
) => number;

/** Returns a function that sends a request, hands on the entries of the answer and returns its errno. */
function createAsker(socket: NetlinkSocket, answer: Uint8Array): Ask {
  const view = new DataView(answer.buffer);
  let sequence = 0;
  return (message, flags, family, attributes, onEntry) => {
    sequence = (sequence + 1) >>> 0;
    const type = messageType(SUBSYSTEM.conntrack, message);
    const header = { type, flags: NLM_F_REQUEST | flags, sequence, family, resource: 0 };
    sendNetlink(socket, netfilterMessage({ ...header, attributes }));
    for (;;) {
      const length = receiveNetlink(socket, answer);
      if (length < 0) throw netlinkError("the connection table does not answer", -length);
      let end: number | undefined;
      eachMessage(view, length, (answered, from, to, number) => {
        // What an earlier request left behind is not ours.
        if (number !== sequence) return;
        if (answered === NLMSG_DONE || answered === NLMSG_ERROR)
          end = to - from < 4 ? 0 : -view.getInt32(from, true);
        else if (answered === messageType(SUBSYSTEM.conntrack, IPCTNL.new)) {
          const entry = decodeConntrack(view, from + 4, to);
          if (entry !== undefined) onEntry(entry);
        }
      });
      if (end !== undefined) return end;
    }
  };
}

function unavailable(errno: number): Unavailable {
  if (!ABSENT_ERRNOS.has(errno)) throw netlinkError("the connection table refuses", errno);
  return { kind: "unavailable", why: `the kernel offers no connection table here: ${errnoName(errno)}` };
}

function familyOf(tuple: Tuple): number {
  return tuple.source.includes(":") ? AF_INET6 : AF_INET;
}

/** CTA_TUPLE_ORIG; the kernel finds an entry by it whichever direction the tuple is. */
function tupleAttribute(tuple: Tuple): Uint8Array {
  const source = addressBytes(tuple.source);
  const destination = addressBytes(tuple.destination);
  assert(
    source.length > 0 && source.length === destination.length,
    "a tuple has two addresses of one family",
  );
  const [sourceType, destinationType] = source.length === 4 ? [1, 2] : [3, 4];
  return nested(CTA.original, [
    nested(1, [attribute(sourceType, source), attribute(destinationType, destination)]),
    nested(2, [
      attribute(1, u8(tuple.protocol)),
      attribute(2, u16(tuple.sourcePort)),
      attribute(3, u16(tuple.destinationPort)),
    ]),
  ]);
}
