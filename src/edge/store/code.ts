/** Small numbers that stand for words in the database. A number once given is never given again. */
import type { LossCause } from "../../core/event/event.ts";
import type { GateDoor } from "../../core/gate/report.ts";
import type { ReasonCode, Verdict } from "../../core/policy/decision.ts";
import type { Direction } from "../../core/policy/document.ts";

export interface Coding<Word extends string> {
  readonly numbers: Readonly<Record<Word, number>>;
  /** Returns undefined for a number that a newer version wrote. */
  wordOf(number: number): Word | undefined;
}

export const DIRECTION = coding<Direction>({ inbound: 0, outbound: 1 });
export const VERDICT = coding<Verdict>({ accept: 0, refuse: 1, drop: 2 });
export const DOOR = coding<GateDoor>({ dns: 0, tls: 1, http: 2, proxy: 3 });
export const LOSS_CAUSE = coding<LossCause>({ kernel: 0, socket: 1, queue: 2, store: 3 });
export const REASON = coding<ReasonCode>({
  allowed: 0,
  default: 1,
  denied: 2,
  guard: 3,
  "host-life": 4,
  "not-judged": 5,
  "invalid-flow": 6,
  "invalid-host": 7,
  "invalid-address": 8,
  "invalid-port": 9,
  "invalid-protocol": 10,
  "invalid-zone": 11,
  "invalid-scope": 12,
  "private-address": 13,
  "not-pinned": 14,
  "no-name": 15,
  "bad-request": 16,
  "name-mismatch": 17,
  ech: 18,
  "record-type": 19,
  unresolved: 20,
  unreachable: 21,
  limit: 22,
  "is-ssh": 23,
  "is-http": 24,
  "is-tls": 25,
  clock: 26,
});

function coding<Word extends string>(numbers: Readonly<Record<Word, number>>): Coding<Word> {
  const words = new Map<number, Word>();
  for (const word in numbers) words.set(numbers[word], word);
  return { numbers, wordOf: (number) => words.get(number) };
}
