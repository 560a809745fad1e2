/** Removes words that no event uses any more. No index tells that, so all events are looked through, bit by bit. */
import type { Store } from "./database.ts";

/** LIMIT: words that are left alone: rules, scopes and interfaces of many policies. */
export const WORDS_KEPT = 2_000;
/** LIMIT: events looked at, and words removed, in one step, so that a step blocks for some ms only. */
const STEP_EVENTS = 20_000;
const STEP_WORDS = 2_000;

export interface WordSweep {
  readonly isRunning: () => boolean;
  /** Begins when there are more words than WORDS_KEPT. Returns whether it did. */
  readonly begin: () => boolean;
  /** One bounded step. Returns how many words went. Throws what SQLite says. */
  readonly step: () => number;
}

interface Pass {
  /** The last event that was looked at, and the last word that was judged. */
  event: number;
  word: number;
  /** Newer words are not judged: their first event may not be written yet. */
  readonly lastWord: number;
  readonly used: Set<number>;
}

/** Returns a sweep that has not begun. `onRemoved` is told after words went: who remembers their numbers forgets them. */
export function createWordSweep({ database }: Store, onRemoved: () => void): WordSweep {
  let pass: Pass | null = null;
  const count = database.prepare("SELECT count(*) AS n FROM (SELECT 1 FROM word LIMIT ?)");
  const last = database.prepare("SELECT max(id) AS n FROM word");
  const events = database.prepare(
    "SELECT id, place, rule, interface_in, interface_out FROM flow WHERE id > ? ORDER BY id LIMIT ?",
  );
  const words = database.prepare("SELECT id FROM word WHERE id > ? AND id <= ? ORDER BY id LIMIT ?");
  // A word keeps its number while anything beside the events speaks of it by number.
  const beside = database.prepare("SELECT place FROM first UNION SELECT place FROM share");
  const remove = database.prepare("DELETE FROM word WHERE id = ?");

  /** Returns whether every event is looked at. */
  const look = (on: Pass): boolean => {
    const rows = events.all(on.event, STEP_EVENTS);
    for (const { place, rule, interface_in: enters, interface_out: leaves } of rows)
      for (const word of [place, rule, enters, leaves]) if (typeof word === "number") on.used.add(word);
    on.event = Number(rows.at(-1)?.["id"] ?? on.event);
    return rows.length < STEP_EVENTS;
  };
  const judge = (on: Pass): number => {
    for (const { place } of beside.all()) on.used.add(Number(place));
    const found = words.all(on.word, on.lastWord, STEP_WORDS).map((row) => Number(row["id"]));
    const gone = found.filter((id) => !on.used.has(id));
    database.exec("BEGIN IMMEDIATE");
    try {
      for (const id of gone) remove.run(id);
      database.exec("COMMIT");
    } catch (cause) {
      if (database.isTransaction) database.exec("ROLLBACK");
      throw cause;
    }
    if (gone.length > 0) onRemoved();
    on.word = found.at(-1) ?? on.word;
    if (found.length < STEP_WORDS) pass = null;
    return gone.length;
  };
  return {
    isRunning: () => pass !== null,
    begin: () => {
      if (Number(count.get(WORDS_KEPT + 1)?.["n"]) <= WORDS_KEPT) return false;
      pass = { event: 0, word: 0, lastWord: Number(last.get()?.["n"] ?? 0), used: new Set() };
      return true;
    },
    // INVARIANT: words are judged only when every event that there is was looked at, in the same step.
    step: () => (pass !== null && look(pass) ? judge(pass) : 0),
  };
}
