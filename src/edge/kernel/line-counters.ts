/** The counters of everything that may get a line in the log, as the kernel has them now. Light: `status` reads them. */
import { lineCounterOf, TABLE } from "../../core/compile/nftables/table.ts";
import { createDumper, fieldsOf, type Span, textOf } from "./netlink/dump.ts";
import { attribute, text, u32 } from "./netlink/message.ts";
import { closeNetlink, NETLINK_NETFILTER, openNetlink } from "./netlink/socket.ts";

const { readFileSync, readlinkSync } = process.getBuiltinModule("node:fs");

export interface PacketCounter {
  readonly name: string;
  readonly packets: number;
  /** Another as soon as the counter begins anew: after a start of the machine, a new table, or a new counter. */
  readonly epoch: string;
}

const NFPROTO_INET = 1;
const ANSWER_TIMEOUT_MS = 5_000;
const MESSAGE = { getTable: 1, getObject: 19 } as const;
const TABLE_FIELD = { name: 1, handle: 4 } as const;
const OBJECT = { table: 1, name: 2, type: 3, data: 4, handle: 6 } as const;
const COUNTER_PACKETS = 2;
const TYPE_COUNTER = 1;

/** Returns the counters of our table whose name `wanted` takes; none when there is no table. Refuses with SEAWALL_NETLINK. */
export function readCounters(wanted: (name: string) => boolean): PacketCounter[] {
  const socket = openNetlink(NETLINK_NETFILTER, { receiveTimeoutMs: ANSWER_TIMEOUT_MS });
  try {
    const ask = createDumper(socket, NFPROTO_INET);
    const [table] = ask(MESSAGE.getTable, [], (view, from, to) => {
      const fields = fieldsOf(view, from, to);
      return textOf(view, fields.get(TABLE_FIELD.name)) === TABLE
        ? number64(view, fields.get(TABLE_FIELD.handle))
        : undefined;
    });
    if (table === undefined) return [];
    const filter = [attribute(OBJECT.table, text(TABLE)), attribute(OBJECT.type, u32(TYPE_COUNTER))];
    const place = whereOf();
    return ask(MESSAGE.getObject, filter, (view, from, to) => {
      const fields = fieldsOf(view, from, to);
      const name = textOf(view, fields.get(OBJECT.name));
      const data = fields.get(OBJECT.data);
      if (data === undefined || textOf(view, fields.get(OBJECT.table)) !== TABLE || !wanted(name))
        return undefined;
      return {
        name,
        packets: number64(view, fieldsOf(view, data[0], data[1]).get(COUNTER_PACKETS)),
        epoch: `${place} ${table} ${number64(view, fields.get(OBJECT.handle))}`,
      };
    });
  } finally {
    closeNetlink(socket);
  }
}

/** Returns the epochs of the counters of lines by name, or none where the kernel does not answer. */
export function readLineEpochs(): ReadonlyMap<string, string> {
  try {
    return new Map(
      readCounters((name) => lineCounterOf(name) !== undefined).map(({ name, epoch }) => [name, epoch]),
    );
  } catch {
    return new Map();
  }
}

function number64(view: DataView, span: Span | undefined): number {
  return span === undefined ? 0 : Number(view.getBigUint64(span[0], false));
}

/** Handles begin anew with the machine and with a network namespace. */
function whereOf(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/net")}`;
  } catch {
    return "-";
  }
}
