import { assert } from "../../core/base/assert.ts";
import { addressBytes } from "../../core/event/address.ts";
import {
  answersOf,
  type ConntrackEntry,
  decodeConntrack,
  markOfEntry,
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
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
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
  /**
   * Hands on each entry, IPv4 and IPv6, whose mark is wanted, and returns how many. The others are not even read.
   * LIMIT: an entry that comes or goes meanwhile may be missed; whoever needs all of them looks twice.
   */
  dumpWanted(
    isWanted: (mark: number) => boolean,
    onEntry: (entry: ConntrackEntry) => void,
  ): { kind: "done"; count: number } | Unavailable;
  /** Sets the bits of `mask` in the mark of one connection and leaves all others as they are. */
  setMark(tuple: Tuple, mark: MarkFilter): { kind: "set" } | { kind: "none" } | Unavailable;
  /** Makes an established connection known, as if its first packet had been seen. */
  addEstablished(
    original: Tuple,
    options: { readonly seconds: number; readonly mark: number },
  ): { kind: "added" } | { kind: "known" } | Unavailable;
  /** Forgets one connection; `none` when it was gone. With an id only that very entry goes. */
  deleteEntry(tuple: Tuple, id: number | null): { kind: "deleted" } | { kind: "none" } | Unavailable;
  close(): void;
}

const IPCTNL = { new: 0, get: 1, delete: 2 } as const;
const CTA = {
  original: 1,
  reply: 2,
  status: 3,
  protocolState: 4,
  timeout: 7,
  mark: 8,
  id: 12,
  markMask: 21,
} as const;
/** IPS_SEEN_REPLY, IPS_ASSURED and IPS_CONFIRMED. */
const STATUS_ESTABLISHED = 0xe;
const TCP = 6;
/** TCP_CONNTRACK_ESTABLISHED, and IP_CT_TCP_FLAG_BE_LIBERAL: which numbers were sent before is not known. */
const TCP_ESTABLISHED = 3;
const TCP_LIBERAL = 8;
const CTA_TCP = { state: 1, flagsOriginal: 4, flagsReply: 5 } as const;
const EEXIST = 17;
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
  return { ...readsOf(ask), ...changesOf(ask), close: () => closeNetlink(socket) };
}

function readsOf(ask: Ask): Pick<Conntrack, "conntrackOf" | "dumpMarks" | "dumpWanted"> {
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
    dumpWanted(isWanted, onEntry) {
      let count = 0;
      const errno = ask(IPCTNL.get, NLM_F_DUMP, 0, [], onWanted, isWanted);
      return errno === 0 ? { kind: "done", count } : unavailable(errno);

      function onWanted(entry: ConntrackEntry): void {
        count += 1;
        onEntry(entry);
      }
    },
  };
}

function changesOf(ask: Ask): Pick<Conntrack, "setMark" | "addEstablished" | "deleteEntry"> {
  return {
    setMark(tuple, { value, mask }) {
      const parts = [
        tupleAttribute(tuple),
        attribute(CTA.mark, u32((value & mask) >>> 0)),
        attribute(CTA.markMask, u32(mask)),
      ];
      const errno = ask(IPCTNL.new, NLM_F_ACK, familyOf(tuple), parts, () => {});
      if (errno === 0) return { kind: "set" };
      return errno === ENOENT ? { kind: "none" } : unavailable(errno);
    },
    addEstablished(original, { seconds, mark }) {
      const parts = [
        tupleAttribute(original),
        tupleAttribute(answersOf(original), CTA.reply),
        attribute(CTA.status, u32(STATUS_ESTABLISHED)),
        attribute(CTA.timeout, u32(seconds)),
        attribute(CTA.mark, u32(mark)),
        ...(original.protocol === TCP ? [tcpEstablished()] : []),
      ];
      const flags = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
      const errno = ask(IPCTNL.new, flags, familyOf(original), parts, () => {});
      if (errno === 0) return { kind: "added" };
      return errno === EEXIST ? { kind: "known" } : unavailable(errno);
    },
    deleteEntry(tuple, id) {
      const parts = [tupleAttribute(tuple), ...(id === null ? [] : [attribute(CTA.id, u32(id))])];
      // SECURITY: a delete message without a tuple empties the whole table; parts always holds one.
      const errno = ask(IPCTNL.delete, NLM_F_ACK, familyOf(tuple), parts, () => {});
      if (errno === 0) return { kind: "deleted" };
      return errno === ENOENT ? { kind: "none" } : unavailable(errno);
    },
  };
}

type Ask = (
  message: number,
  flags: number,
  family: number,
  attributes: readonly Uint8Array[],
  onEntry: (entry: ConntrackEntry) => void,
  isWanted?: (mark: number) => boolean,
) => number;

/** Returns a function that sends a request, hands on the entries of the answer and returns its errno. */
function createAsker(socket: NetlinkSocket, answer: Uint8Array): Ask {
  const view = new DataView(answer.buffer);
  let sequence = 0;
  return (message, flags, family, attributes, onEntry, isWanted) => {
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
          if (isWanted !== undefined && !isWanted(markOfEntry(view, from + 4, to))) return;
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

function tcpEstablished(): Uint8Array {
  // struct nf_ct_tcp_flags: flags, mask.
  const liberal = Uint8Array.of(TCP_LIBERAL, TCP_LIBERAL);
  return nested(CTA.protocolState, [
    nested(1, [
      attribute(CTA_TCP.state, u8(TCP_ESTABLISHED)),
      attribute(CTA_TCP.flagsOriginal, liberal),
      attribute(CTA_TCP.flagsReply, liberal),
    ]),
  ]);
}

/** CTA_TUPLE_ORIG; the kernel finds an entry by it whichever direction the tuple is. */
function tupleAttribute(tuple: Tuple, which: number = CTA.original): Uint8Array {
  const source = addressBytes(tuple.source);
  const destination = addressBytes(tuple.destination);
  assert(
    source.length > 0 && source.length === destination.length,
    "a tuple has two addresses of one family",
  );
  const [sourceType, destinationType] = source.length === 4 ? [1, 2] : [3, 4];
  return nested(which, [
    nested(1, [attribute(sourceType, source), attribute(destinationType, destination)]),
    nested(2, [
      attribute(1, u8(tuple.protocol)),
      attribute(2, u16(tuple.sourcePort)),
      attribute(3, u16(tuple.destinationPort)),
    ]),
  ]);
}
