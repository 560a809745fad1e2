/** Answers of the resolvers, kept for their TTL. Pure: the time is an argument. */
import type { UpstreamAnswer } from "../dns/upstream.ts";

export interface CachedAnswer {
  readonly answer: UpstreamAnswer;
  readonly untilMs: number;
}

export interface AnswerCache {
  /** Returns an answer that still holds, or undefined. */
  readonly get: (key: string, nowMs: number) => CachedAnswer | undefined;
  readonly put: (key: string, answer: UpstreamAnswer, nowMs: number) => CachedAnswer;
  readonly size: () => number;
}

/** LIMIT: answers kept; the oldest goes first. */
export const ANSWERS_MAX = 10_000;
/** LIMIT: an answer is asked for anew after this time, whatever its TTL says. */
export const ANSWER_SECONDS_MAX = 3_600;
/** LIMIT: how long a denial of a resolver is kept. */
const NEGATIVE_SECONDS_MAX = 30;

/** Returns an empty cache. */
export function createAnswerCache(answersMax = ANSWERS_MAX): AnswerCache {
  const answers = new Map<string, CachedAnswer>();
  return {
    get: (key, nowMs) => {
      const found = answers.get(key);
      if (found === undefined || nowMs < found.untilMs) return found;
      answers.delete(key);
      return undefined;
    },
    put: (key, answer, nowMs) => {
      const most = answer.addresses.length > 0 ? ANSWER_SECONDS_MAX : NEGATIVE_SECONDS_MAX;
      const kept = { answer, untilMs: nowMs + Math.min(answer.ttlSeconds, most) * 1_000 };
      answers.delete(key);
      const oldest = answers.keys().next();
      if (answers.size >= answersMax && oldest.done !== true) answers.delete(oldest.value);
      if (kept.untilMs > nowMs) answers.set(key, kept);
      return kept;
    },
    size: () => answers.size,
  };
}
