import type { FlowEvent, LossEvent } from "../../core/event/event.ts";
import type { Verdict } from "../../core/policy/decision.ts";
import type { Direction } from "../../core/policy/document.ts";
import { addressText } from "../../core/event/address.ts";
import { DIRECTION, DOOR, LOSS_CAUSE, REASON, VERDICT } from "./code.ts";
import type { Store } from "./database.ts";
import { storeError, storeProblem } from "./problem.ts";

export interface FlowQuery {
  /** Events at this Unix time and later. */
  readonly sinceMs?: number;
  readonly verdict?: Verdict;
  readonly direction?: Direction;
  readonly rule?: string;
  /** The id of a refusal. */
  readonly refusal?: string;
  /** The id of a refusal: the newest event of each of its targets, which is one unless ids collide. */
  readonly targetsOf?: string;
  /** The newest so many; FLOWS_LISTED_MAX when absent and at most. */
  readonly limit?: number;
}

export interface StoredFlow extends FlowEvent {
  readonly id: number;
}

/** LIMIT: events of one answer. */
export const FLOWS_LISTED_MAX = 100_000;

type Cell = number | string | null;

/** Returns the newest events that match, oldest of them first. Refuses with SEAWALL_STORE. */
export function listFlows(store: Store, query: FlowQuery): StoredFlow[] {
  const { sql, values } = selectFlows(query);
  try {
    const rows = store.database.prepare(sql).all(...values);
    const flows: StoredFlow[] = [];
    for (const row of rows) {
      const flow = flowOf(row);
      if (flow !== undefined) flows.push(flow);
    }
    return flows.reverse();
  } catch (error) {
    throw storeError(store.path, storeProblem(error));
  }
}

/** Returns what was lost since a time, oldest first, at most FLOWS_LISTED_MAX entries. */
export function listLosses(store: Store, sinceMs: number): LossEvent[] {
  try {
    const rows = store.database
      .prepare("SELECT time_ms, cause, count FROM loss WHERE time_ms >= ? ORDER BY time_ms, id LIMIT ?")
      .all(sinceMs, FLOWS_LISTED_MAX);
    return rows.flatMap((row) => {
      const cause = LOSS_CAUSE.wordOf(Number(row["cause"]));
      const count = row["count"];
      if (cause === undefined) return [];
      return [
        { kind: "loss", timeMs: Number(row["time_ms"]), cause, count: count == null ? null : Number(count) },
      ];
    });
  } catch (error) {
    throw storeError(store.path, storeProblem(error));
  }
}

/** SECURITY: every value is bound; the text holds only what is written here. */
function selectFlows(query: FlowQuery): { sql: string; values: Cell[] } {
  const conditions: [text: string, value: Cell][] = [["f.time_ms >= ?", query.sinceMs ?? 0]];
  if (query.verdict !== undefined) conditions.push(verdictCondition(query.verdict));
  if (query.direction !== undefined) conditions.push(["f.direction = ?", DIRECTION.numbers[query.direction]]);
  if (query.rule !== undefined)
    conditions.push(["f.rule = (SELECT id FROM word WHERE text = ?)", query.rule]);
  if (query.refusal !== undefined) conditions.push(["f.refusal = ?", query.refusal]);
  if (query.targetsOf !== undefined) conditions.push([NEWEST_OF_EACH_TARGET, query.targetsOf]);
  const limit = Math.min(query.limit ?? FLOWS_LISTED_MAX, FLOWS_LISTED_MAX);
  const sql = `SELECT f.*, place.text AS place_text, rule.text AS rule_text, a.text AS in_text, b.text AS out_text
    FROM flow f JOIN word place ON place.id = f.place LEFT JOIN word rule ON rule.id = f.rule
    LEFT JOIN word a ON a.id = f.interface_in LEFT JOIN word b ON b.id = f.interface_out
    WHERE ${conditions.map(([text]) => text).join(" AND ")} ORDER BY f.time_ms DESC, f.id DESC LIMIT ?`;
  return { sql, values: [...conditions.map(([, value]) => value), limit] };
}

const NEWEST_OF_EACH_TARGET = `f.id IN (SELECT max(id) FROM flow WHERE refusal = ? GROUP BY
  place, host, CASE WHEN host IS NULL THEN destination END, protocol, destination_port)`;

/** Returns ids of refusals that begin so, at most `limit`, in order. Refuses with SEAWALL_STORE. */
export function listRefusalIds(store: Store, beginning: string, limit: number): string[] {
  try {
    const rows = store.database
      .prepare(
        "SELECT DISTINCT refusal FROM flow WHERE refusal >= ? AND refusal < ? ORDER BY refusal LIMIT ?",
      )
      .all(beginning, `${beginning}\u007f`, limit);
    return rows.map((row) => String(row["refusal"]));
  } catch (error) {
    throw storeError(store.path, storeProblem(error));
  }
}

/** The index over denials is only used when its own condition stands in the query. */
function verdictCondition(verdict: Verdict): [text: string, value: Cell] {
  const denial = verdict === "accept" ? "" : "f.verdict > 0 AND ";
  return [`${denial}f.verdict = ?`, VERDICT.numbers[verdict]];
}

/** Undefined for a row with a word that only a newer version knows. */
function flowOf(row: Readonly<Record<string, unknown>>): StoredFlow | undefined {
  const direction = DIRECTION.wordOf(Number(row["direction"]));
  const verdict = VERDICT.wordOf(Number(row["verdict"]));
  const reason = REASON.wordOf(Number(row["reason"]));
  if (direction === undefined || verdict === undefined || reason === undefined) return undefined;
  return {
    kind: "flow",
    id: Number(row["id"]),
    timeMs: Number(row["time_ms"]),
    direction,
    verdict,
    observed: row["observed"] === 1,
    rule: textOrNull(row["rule_text"]),
    reason,
    generation: Number(row["generation"]),
    place: String(row["place_text"]),
    protocol: Number(row["protocol"]),
    source: address(row["source"]),
    destination: address(row["destination"]),
    sourcePort: numberOrNull(row["source_port"]),
    destinationPort: numberOrNull(row["destination_port"]),
    icmpType: numberOrNull(row["icmp_type"]),
    tcpFlags: numberOrNull(row["tcp_flags"]),
    bytes: Number(row["bytes"]),
    interfaceIn: textOrNull(row["in_text"]),
    interfaceOut: textOrNull(row["out_text"]),
    uid: numberOrNull(row["uid"]),
    gid: numberOrNull(row["gid"]),
    host: textOrNull(row["host"]),
    door: row["door"] == null ? null : (DOOR.wordOf(Number(row["door"])) ?? null),
    refusal: textOrNull(row["refusal"]),
  };
}

function address(cell: unknown): string {
  return cell instanceof Uint8Array ? addressText(cell) : "?";
}

function numberOrNull(cell: unknown): number | null {
  return typeof cell === "number" ? cell : null;
}

function textOrNull(cell: unknown): string | null {
  return typeof cell === "string" ? cell : null;
}
