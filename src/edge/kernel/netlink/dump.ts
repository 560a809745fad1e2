/** Asking nf_tables for everything of a kind (NLM_F_DUMP of netlink(7)). */
import { eachAttribute, eachMessage, NLMSG_DONE, NLMSG_ERROR } from "../../../core/event/decode/netlink.ts";
import { messageType, netfilterMessage, NLM_F_DUMP, NLM_F_REQUEST, SUBSYSTEM } from "./message.ts";
import { netlinkError, type NetlinkSocket, receiveNetlink, sendNetlink } from "./socket.ts";

const ENOENT = 2;
const NLM_F_DUMP_INTR = 0x10;
/** Of a netlink header, counted back from its payload. */
const FLAGS_BEFORE_PAYLOAD = 10;
const ANSWER_BYTES = 262_144;

export type Span = readonly [from: number, to: number];

export interface Dumper {
  /** Returns what `read` makes of each answer to a request of nf_tables; `from` is behind the family. */
  <Value>(
    message: number,
    attributes: readonly Uint8Array[],
    read: (view: DataView, from: number, to: number) => Value | undefined,
  ): Value[];
}

/**
 * Returns a reader of one table family (0 for all). Refuses with SEAWALL_NETLINK and the errno name. `onInterrupted`
 * is told when somebody changed the rules meanwhile, so that an answer can lack what was there all the time.
 */
export function createDumper(
  socket: NetlinkSocket,
  family: number,
  onInterrupted: () => void = () => undefined,
): Dumper {
  const answer = new Uint8Array(ANSWER_BYTES);
  const view = new DataView(answer.buffer);
  let sequence = 0;
  return <Value>(
    message: number,
    attributes: readonly Uint8Array[],
    read: (view: DataView, from: number, to: number) => Value | undefined,
  ): Value[] => {
    sequence += 1;
    const type = messageType(SUBSYSTEM.nftables, message);
    const flags = NLM_F_REQUEST | NLM_F_DUMP;
    sendNetlink(socket, netfilterMessage({ type, flags, sequence, family, resource: 0, attributes }));
    const found: Value[] = [];
    for (;;) {
      const length = receiveNetlink(socket, answer);
      if (length < 0) throw netlinkError("nf_tables does not answer", -length);
      let errno: number | undefined;
      eachMessage(view, length, (answered, from, to, number) => {
        if (number !== sequence) return;
        if ((view.getUint16(from - FLAGS_BEFORE_PAYLOAD, true) & NLM_F_DUMP_INTR) !== 0) onInterrupted();
        if (answered === NLMSG_DONE || answered === NLMSG_ERROR) {
          errno = to - from < 4 ? 0 : -view.getInt32(from, true);
          return;
        }
        const value = read(view, from + 4, to);
        if (value !== undefined) found.push(value);
      });
      if (errno !== undefined) return ended(errno, found);
    }
  };
}

function ended<Value>(errno: number, found: Value[]): Value[] {
  if (errno === 0 || errno === ENOENT) return found;
  throw netlinkError("nf_tables refuses", errno);
}

/** The attributes of [from, to) by their type. */
export function fieldsOf(view: DataView, from: number, to: number): Map<number, Span> {
  const fields = new Map<number, Span>();
  eachAttribute(view, from, to, (type, start, end) => void fields.set(type, [start, end]));
  return fields;
}

/** A string ends with a NUL. */
export function textOf(view: DataView, span: Span | undefined): string {
  if (span === undefined) return "";
  const bytes = new Uint8Array(view.buffer, span[0], span[1] - span[0]);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}
