import { SeawallError } from "../../core/base/error.ts";

/** Why the database did not do it. `busy` passes by itself; the others need somebody. */
export interface StoreProblem {
  readonly kind: "busy" | "full" | "read-only" | "damaged" | "newer" | "older" | "other";
  readonly message: string;
}

/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html). */
const KINDS: Readonly<Record<number, StoreProblem["kind"]>> = {
  5: "busy",
  6: "busy",
  8: "read-only",
  11: "damaged",
  13: "full",
  14: "read-only",
  26: "damaged",
};

const HELP: Readonly<Record<StoreProblem["kind"], string>> = {
  busy: "another process is writing; it is tried again",
  full: "free some space, or lower the size that events may take",
  "read-only": "run as the user that owns the state directory, on a file system that can be written",
  damaged: "seawall daemon (it sets the damaged file aside as events.db.corrupt-TIME and begins a new one)",
  newer:
    "install the later Seawall again; or set its log aside and begin a new one, in that folder: mkdir later && mv events.db* later/ (a copy events.db.before-vN there can be copied back as events.db)",
  older: "seawall daemon (it keeps a copy and brings the log up to date when it starts)",
  other: "look at the message; the firewall does not depend on the store",
};

/** Returns what an exception of node:sqlite means; anything else that was thrown is `other`. */
export function storeProblem(error: unknown): StoreProblem {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof Error) || !("errcode" in error)) return { kind: "other", message };
  const kind = typeof error.errcode === "number" ? KINDS[error.errcode & 0xff] : undefined;
  return { kind: kind ?? "other", message };
}

/** The problem as an error for a person; `path` is the database. */
export function storeError(path: string, problem: StoreProblem): SeawallError {
  return new StoreError(path, problem);
}

/** A store that cannot be used, with what it is. */
export class StoreError extends SeawallError {
  readonly kind: StoreProblem["kind"];

  constructor(path: string, { kind, message }: StoreProblem) {
    super("SEAWALL_STORE", `${path} cannot be used (${kind}): ${message}`, {
      help: HELP[kind],
      still: "rules in the kernel are in force",
    });
    this.kind = kind;
  }
}
