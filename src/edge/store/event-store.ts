import type { StatementSync } from "node:sqlite";
import type { FlowEvent, LossEvent, SeawallEvent } from "../../core/event/event.ts";
import { addressBytes } from "../../core/event/address.ts";
import { createCounts } from "./counts.ts";
import { createFirsts } from "./first.ts";
import { DIRECTION, DOOR, LOSS_CAUSE, REASON, VERDICT } from "./code.ts";
import { rollBack, type Store } from "./database.ts";
import { storeProblem, type StoreProblem } from "./problem.ts";

export interface EventWriter {
  /** Writes all events in one transaction, or none and returns why. Returns null when they will survive a kill. */
  append(events: readonly SeawallEvent[]): StoreProblem | null;
  /** Forgets the numbers of words; call it after words were removed. */
  forgetWords(): void;
}

/** LIMIT: names remembered with their numbers. */
const WORDS_KEPT_MAX = 4096;

const INSERT_FLOW = `INSERT INTO flow (time_ms, direction, verdict, observed, reason, generation, place, rule,
  protocol, source, destination, source_port, destination_port, icmp_type, tcp_flags, bytes, interface_in,
  interface_out, uid, gid, host, door, refusal, first)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** Returns which counters of the kernel count lines now: an epoch ends when a counter begins anew. */
export type Epochs = () => ReadonlyMap<string, string>;

/**
 * Returns a writer with its statements prepared. Refuses like `database.prepare` when the tables are missing. `epochs` is
 * asked once a batch.
 */
export function createEventWriter(store: Store, epochs: Epochs = () => new Map()): EventWriter {
  const { database } = store;
  const insertFlow = database.prepare(INSERT_FLOW);
  const insertLoss = database.prepare("INSERT INTO loss (time_ms, cause, count) VALUES (?, ?, ?)");
  const words = createWords(store);
  const firsts = createFirsts(store);
  const counts = createCounts(store, epochs);
  return {
    forgetWords: () => words.forget(),
    append(events) {
      try {
        database.exec("BEGIN IMMEDIATE");
        for (const event of events) {
          if (event.kind === "flow") {
            const place = words.numberOf(event.place);
            const isFirst = firsts.isFirst(event, place);
            writeFlow(insertFlow, event, words.numberOf, isFirst);
            counts.add(event, place, isFirst);
          } else writeLoss(insertLoss, event);
        }
        counts.write();
        database.exec("COMMIT");
        return null;
      } catch (error) {
        // Numbers of words that the rollback takes away again must not be used.
        words.forget();
        firsts.forget();
        counts.forget();
        rollBack(store);
        return storeProblem(error);
      }
    },
  };
}

function writeFlow(
  insert: StatementSync,
  event: FlowEvent,
  word: (text: string) => number,
  isFirst: boolean,
): void {
  insert.run(
    event.timeMs,
    DIRECTION.numbers[event.direction],
    VERDICT.numbers[event.verdict],
    event.observed ? 1 : 0,
    REASON.numbers[event.reason],
    event.generation,
    word(event.place),
    event.rule === null ? null : word(event.rule),
    event.protocol,
    addressBytes(event.source),
    addressBytes(event.destination),
    event.sourcePort,
    event.destinationPort,
    event.icmpType,
    event.tcpFlags,
    event.bytes,
    event.interfaceIn === null ? null : word(event.interfaceIn),
    event.interfaceOut === null ? null : word(event.interfaceOut),
    event.uid,
    event.gid,
    event.host,
    event.door === null ? null : DOOR.numbers[event.door],
    event.refusal,
    isFirst ? 1 : null,
  );
}

function writeLoss(insert: StatementSync, event: LossEvent): void {
  insert.run(event.timeMs, LOSS_CAUSE.numbers[event.cause], event.count);
}

interface Words {
  /** Returns the number of a name and stores the name when it is new. */
  readonly numberOf: (text: string) => number;
  readonly forget: () => void;
}

function createWords({ database }: Store): Words {
  const known = new Map<string, number>();
  const find = database.prepare("SELECT id FROM word WHERE text = ?");
  const insert = database.prepare("INSERT INTO word (text) VALUES (?)");
  return {
    numberOf(text) {
      const remembered = known.get(text);
      if (remembered !== undefined) return remembered;
      const row = find.get(text);
      const number = Number(row === undefined ? insert.run(text).lastInsertRowid : row["id"]);
      if (known.size >= WORDS_KEPT_MAX) known.clear();
      known.set(text, number);
      return number;
    },
    forget: () => known.clear(),
  };
}
