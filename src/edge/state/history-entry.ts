const { readdirSync, readFileSync } = process.getBuiltinModule("node:fs");

/**
 * What entries look like, by the fields that came: 1 the first, 2 `dropIns`, 3 `elements`, 4 `kind` and `before`,
 * 5 `how`, `from`, `undone` and `ownModes`, 6 `over`.
 * INVARIANT: every format stays readable, so what came later is optional; test/cases/history has each.
 */
export const HISTORY_FORMAT = 6;

export interface HistoryEntry {
  readonly id: number;
  readonly generation: number;
  readonly proposedMs: number;
  readonly confirmedMs: number | null;
  readonly policyPath: string;
  readonly sha256: string;
  readonly mode: { readonly inbound: string; readonly outbound: string };
  /** Names of the kernel objects that this generation needs. */
  readonly objects: readonly string[];
  /** Elements of its maps and static sets; absent in entries of a version that did not count them. */
  readonly elements?: number;
  /** Who proposed it: a login name or uid. */
  readonly by: string;
  /** Names of the drop-ins it was read with; absent in entries of a version that knew none. */
  readonly dropIns?: readonly string[];
  /** Absent for what somebody applied. */
  readonly kind?: "panic" | "pause";
  /** Of a panic: the entry that it took the place of. */
  readonly before?: number;
  /** Which command made it; absent in entries of a version that did not say, and of a panic or pause. */
  readonly how?: "apply" | "rollback" | "panic-off";
  /** Of a rollback and the end of a panic: the entry that it put in force again. */
  readonly from?: number;
  /** It was taken back before anybody confirmed it. */
  readonly undone?: Undone;
  /** Rules whose own mode is not that of their direction; absent in entries of a version that did not count. */
  readonly ownModes?: { readonly inbound: OwnModes; readonly outbound: OwnModes };
  /** Of a panic: the same as it stands in the kernel; see `SealOver` in apply/seal.ts. */
  readonly over?:
    | { readonly kind: "nothing" | "unknown" }
    | { readonly kind: "policy"; readonly id: number; readonly sha256: string; readonly held: boolean };
}

export interface Undone {
  readonly atMs: number;
  /** `ran out`: nobody confirmed in time. */
  readonly how: "ran out" | "withdrawn";
}

export interface OwnModes {
  /** Deny rules that only watch, while their direction is enforced. */
  readonly watchedDenies: number;
  /** Allow rules that only watch and so open nothing, while their direction is enforced. */
  readonly idleAllows: number;
  /** Deny rules that are enforced, while their direction is only watched. */
  readonly enforcedDenies: number;
}

/**
 * Returns the number of the newest entry, 0 when there is none. A broken entry counts, and so does a file that is
 * left of one: what stands beside it under that number must never be taken for part of another.
 */
export function newestId(state: string): number {
  try {
    const files = readdirSync(`${state}/history`);
    return Math.max(0, ...files.map((file) => Number(/^(\d{6})\./.exec(file)?.[1] ?? 0)));
  } catch {
    return 0;
  }
}

/** Returns one entry, or undefined when it is not there or broken: that is no reason to stop. */
export function readHistoryEntry(state: string, id: number | undefined): HistoryEntry | undefined {
  if (id === undefined) return undefined;
  try {
    const text = readFileSync(`${state}/history/${entryStem(id)}.json`, "utf8");
    const entry: unknown = JSON.parse(text);
    return isEntry(entry) && entry.id === id ? entry : undefined;
  } catch {
    return undefined;
  }
}

const FIELD_TYPES = {
  id: "number",
  generation: "number",
  proposedMs: "number",
  policyPath: "string",
  sha256: "string",
  by: "string",
} as const satisfies Partial<Record<keyof HistoryEntry, string>>;

function isEntry(value: unknown): value is HistoryEntry {
  if (typeof value !== "object" || value === null) return false;
  const entry = value as Partial<Record<keyof HistoryEntry, unknown>>;
  const plain = Object.entries(FIELD_TYPES).every(
    ([field, type]) => typeof entry[field as keyof HistoryEntry] === type,
  );
  const { confirmedMs, mode, kind, elements } = entry;
  if (!isOver(entry.over)) return false;
  if (elements !== undefined && typeof elements !== "number") return false;
  if (kind !== undefined && kind !== "panic" && kind !== "pause") return false;
  if (!plain || (confirmedMs !== null && typeof confirmedMs !== "number")) return false;
  return (
    typeof mode === "object" && mode !== null && [entry.objects, entry.dropIns ?? []].every(Array.isArray)
  );
}

function isOver(value: unknown): boolean {
  return value === undefined || (typeof value === "object" && value !== null && "kind" in value);
}

/** The file name of an entry, without its ending. */
export function entryStem(id: number): string {
  return String(id).padStart(6, "0");
}
