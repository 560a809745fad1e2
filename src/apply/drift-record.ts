/** What seawalld saw others do to the kernel's rules, so that `status` can say it. It ends with the machine. */
import { SeawallError } from "../core/base/error.ts";
import type { Damage } from "./expected.ts";
import type { Folders } from "../edge/state/folder.ts";
import { replaceFile } from "../edge/state/replace-file.ts";

const { readFileSync } = process.getBuiltinModule("node:fs");

const FILE = "drift.json";

export interface DriftRecord {
  /** How often our table was put right since seawalld started. */
  readonly healed: number;
  /** Somebody changes it again and again: seawalld waits between two healings. */
  readonly alarm: boolean;
  readonly last: DriftEvent | null;
  /** What others have lost, in words, and what gives it back. */
  readonly others: readonly { readonly said: string; readonly help: string }[];
}

export interface DriftEvent {
  /** RFC 3339. */
  readonly at: string;
  readonly what: string;
  /** Who did it, as far as the kernel and /proc tell: `nft (pid 4711, of nftables.service)`; null: unseen. */
  readonly by: string | null;
  readonly outcome: "healed" | "not healed";
  /** What of ours was touched; absent in records of a version that did not say. */
  readonly damage?: Damage;
  /** From the change, as the kernel told it, until it was put right; absent where nobody saw it. */
  readonly afterMs?: number;
}

/** Returns what seawalld wrote last, or null: nothing happened, or no seawalld ran since the start. */
export function readDriftRecord({ run }: Pick<Folders, "run">): DriftRecord | null {
  try {
    const found = JSON.parse(readFileSync(`${run}/${FILE}`, "utf8")) as Partial<DriftRecord>;
    return typeof found.healed === "number" && Array.isArray(found.others) ? (found as DriftRecord) : null;
  } catch {
    return null;
  }
}

/** Writes it down. Returns what went wrong, or null: what happened is said on stderr too. */
export function writeDriftRecord({ run }: Pick<Folders, "run">, record: DriftRecord): string | null {
  try {
    replaceFile(`${run}/${FILE}`, `${JSON.stringify(record)}\n`);
    return null;
  } catch (cause) {
    if (!(cause instanceof SeawallError)) throw cause;
    return cause.message;
  }
}
