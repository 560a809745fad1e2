import { setImmediate } from "node:timers/promises";
import { assert } from "../../core/base/assert.ts";
import { SeawallError } from "../../core/base/error.ts";
import { eachMessage, NLMSG_ERROR } from "../../core/event/decode/netlink.ts";
import {
  batchMarker,
  createIntervalEncoder,
  elementKey,
  type Intervals,
  NFNL_MSG_BATCH_BEGIN,
  NFNL_MSG_BATCH_END,
  NFPROTO_INET,
  NFT_MSG_NEWSETELEM,
  NFTA,
  ALONE_INTERVALS_MAX,
  TRANSACTION_INTERVALS_MAX,
} from "./netlink/interval-elements.ts";
import {
  attribute,
  concat,
  messageType,
  nested,
  netfilterMessage,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_REQUEST,
  SUBSYSTEM,
  text,
  u64,
} from "./netlink/message.ts";
import {
  closeNetlink,
  drainNetlink,
  errnoName,
  NETLINK_NETFILTER,
  type NetlinkSocket,
  openNetlink,
  receiveNetlink,
  sendNetlink,
} from "./netlink/socket.ts";

/** A set of an `inet` table. */
export interface SetName {
  readonly table: string;
  readonly set: string;
}

export interface TimedElement extends SetName {
  /** The key as the kernel holds it: each field in network order, filled up to four bytes. */
  readonly key: Uint8Array;
  readonly timeoutMs: number;
  /** Starts the timeout of an element anew that is already there; otherwise that element stays as it is. */
  readonly refresh: boolean;
}

export interface SetElements {
  /**
   * Fills a set that no rule refers to yet with sorted, disjoint intervals, in many small transactions, so
   * that others never wait long for the kernel's lock. With `alone`, where nobody of ours waits,
   * in fewer. When it fails the set is partly filled: delete it.
   */
  loadIntervalSet(wanted: SetName & Intervals, alone?: boolean): Promise<void>;
  /** Adds an element that the kernel removes by itself. It is in force when this returns. */
  addTimedElement(element: TimedElement): void;
  /** Adds several in one transaction: all of them or none. LIMIT: TIMED_ELEMENTS_MAX. */
  addTimedElements(elements: readonly TimedElement[]): void;
  close(): void;
}

const NFT_MSG_DELSETELEM = 14;
/** LIMIT: elements of one transaction of addTimedElements. */
export const TIMED_ELEMENTS_MAX = 1_024;
/** An answer is there when send returns; waiting longer means that the kernel did not understand us. */
const ANSWER_TIMEOUT_MS = 2_000;
const ANSWER_MAX_BYTES = 65_536;

/** Opens a netlink socket for elements of sets. Every refusal is SEAWALL_NETLINK and names the errno. */
export function openSetElements(): SetElements {
  const socket = openNetlink(NETLINK_NETFILTER, { receiveTimeoutMs: ANSWER_TIMEOUT_MS });
  const answer = new Uint8Array(ANSWER_MAX_BYTES);
  return {
    loadIntervalSet: async (wanted, alone = false) => {
      const most = alone ? ALONE_INTERVALS_MAX : TRANSACTION_INTERVALS_MAX;
      const encoder = createIntervalEncoder(wanted.table, wanted.set, wanted, most);
      const count = wanted.intervals.first.length;
      for (let from = 0; from < count; from += most) {
        const to = Math.min(count, from + most);
        const { bytes, sequence } = encoder.encode(from, to);
        transact(socket, answer, bytes, sequence, wanted);
        await setImmediate();
      }
    },
    addTimedElement: (element) => {
      const messages = timedMessages([element]);
      transact(socket, answer, concat(messages), messages.length - 2, element);
    },
    addTimedElements: (elements) => {
      const [first] = elements;
      if (first === undefined) return;
      assert(elements.length <= TIMED_ELEMENTS_MAX, "one transaction of timed elements is small");
      const messages = timedMessages(elements);
      transact(socket, answer, concat(messages), messages.length - 2, first);
    },
    close: () => closeNetlink(socket),
  };
}

/**
 * Create, or for a refresh create, delete and create: older kernels do not change the timeout of an element
 * that exists. Sequence numbers count from 0.
 */
function timedMessages(elements: readonly TimedElement[]): Uint8Array[] {
  const steps = elements.flatMap((element) => {
    const timed = [elementKey(element.key), attribute(NFTA.elementTimeout, u64(BigInt(element.timeoutMs)))];
    const create = { element, message: NFT_MSG_NEWSETELEM, flags: NLM_F_CREATE, parts: timed };
    const remove = { element, message: NFT_MSG_DELSETELEM, flags: 0, parts: [elementKey(element.key)] };
    return element.refresh ? [create, remove, create] : [create];
  });
  const messages = steps.map(({ element, message, flags, parts }, index) =>
    netfilterMessage({
      type: messageType(SUBSYSTEM.nftables, message),
      flags: NLM_F_REQUEST | flags | (index === steps.length - 1 ? NLM_F_ACK : 0),
      sequence: index + 1,
      family: NFPROTO_INET,
      resource: 0,
      attributes: [
        attribute(NFTA.listTable, text(element.table)),
        attribute(NFTA.listSet, text(element.set)),
        nested(NFTA.listElements, [nested(NFTA.listElement, parts)]),
      ],
    }),
  );
  return [
    batchMarker(NFNL_MSG_BATCH_BEGIN, 0),
    ...messages,
    batchMarker(NFNL_MSG_BATCH_END, steps.length + 1),
  ];
}

/** Sends a transaction and waits until the message with `sequence` is acknowledged, or any is refused. */
function transact(
  socket: NetlinkSocket,
  answer: Uint8Array,
  transaction: Uint8Array,
  sequence: number,
  name: SetName,
): void {
  sendNetlink(socket, transaction);
  const view = new DataView(answer.buffer);
  for (;;) {
    const length = receiveNetlink(socket, answer);
    if (length < 0) throw refused(name, -length);
    let acknowledged = false;
    let errno = 0;
    eachMessage(view, length, (type, from, to, number) => {
      if (type !== NLMSG_ERROR || to - from < 4 || errno !== 0) return;
      errno = -view.getInt32(from, true);
      acknowledged ||= number === sequence;
    });
    if (errno !== 0) {
      drainNetlink(socket, answer);
      throw refused(name, errno);
    }
    if (acknowledged) return;
  }
}

/** The kernel did not take elements. */
export class ElementsRefused extends SeawallError {
  /** `ENOENT`: there is no such set, or no such table. `ENFILE`: it is full. */
  readonly errno: string;

  constructor(name: SetName, errno: number) {
    const what = `set ${name.set} of table ${name.table} does not take the elements: ${errnoName(errno)}`;
    super("SEAWALL_NETLINK", what, { still: "nothing of this transaction is in force" });
    this.errno = errnoName(errno);
  }
}

function refused(name: SetName, errno: number): ElementsRefused {
  return new ElementsRefused(name, errno);
}
