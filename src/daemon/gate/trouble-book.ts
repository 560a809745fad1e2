/** What is wrong with the gates and since when: said once, kept for `status`, and said again when it is over. */
import { type DatedTrouble, type GateTrouble, TROUBLES_MAX } from "../../core/gate/trouble.ts";
import type { Say } from "../say.ts";

export interface TroubleBook {
  /** Takes everything that is wrong at this moment. */
  readonly take: (found: readonly GateTrouble[], nowMs: number) => void;
  readonly all: () => readonly DatedTrouble[];
}

/** Returns a book in which nothing is wrong. `about` tells two troubles apart whose numbers change. */
export function createTroubleBook(say: Say): TroubleBook {
  let book = new Map<string, DatedTrouble>();
  return {
    take: (found, nowMs) => {
      const next = new Map<string, DatedTrouble>();
      for (const one of found.slice(0, TROUBLES_MAX)) {
        const key = keyOf(one);
        const known = book.get(key);
        next.set(key, { ...one, since: known?.since ?? new Date(nowMs).toISOString() });
        if (known === undefined) say(`names: ${textOf(one)}`);
      }
      for (const [key, one] of book) if (!next.has(key)) say(`names: over: ${textOf(one)}`);
      book = next;
    },
    all: () => [...book.values()],
  };
}

/** Counts grow while it is the same trouble. */
function keyOf({ kind, scope, said }: GateTrouble): string {
  return `${kind} ${scope ?? ""} ${said.replaceAll(/\b\d+ (pins|questions|answers)\b/g, "$1")}`;
}

function textOf({ scope, said, help }: GateTrouble): string {
  return `${scope === null ? "" : `${scope}: `}${said}${help === null ? "" : `; ${help}`}`;
}
