import assert from "node:assert/strict";
import { test } from "node:test";
import { NOTHING } from "../dns/chain.ts";
import type { UpstreamAnswer } from "../dns/upstream.ts";
import { ANSWER_SECONDS_MAX, createAnswerCache } from "./answer-cache.ts";

function answer(ttlSeconds: number, count = 1): UpstreamAnswer {
  const addresses = Array.from({ length: count }, (_, at) => ({ family: 4, value: at + 1 }) as const);
  return { ...NOTHING, ttlSeconds, addresses, rcode: 0, truncated: false, authenticData: false };
}

for (const [title, given, seconds] of [
  ["as long as its TTL", answer(60), 60],
  ["at most an hour", answer(604_800), ANSWER_SECONDS_MAX],
  ["a denial at most half a minute", answer(3_600, 0), 30],
  ["a denial no longer than the zone says", answer(5, 0), 5],
] as const) {
  test(`an answer is kept: ${title}`, () => {
    const cache = createAnswerCache();
    assert.equal(cache.put("key", given, 1_000).untilMs, 1_000 + seconds * 1_000);
    assert.notEqual(cache.get("key", seconds * 1_000 + 999), undefined);
    assert.equal(cache.get("key", seconds * 1_000 + 1_000), undefined);
    assert.equal(cache.size(), 0);
  });
}

test("an answer without a TTL is given to who asked and not kept", () => {
  const cache = createAnswerCache();
  assert.equal(cache.put("key", answer(0), 0).untilMs, 0);
  assert.equal(cache.size(), 0);
});

test("an answer without a TTL takes the place of what was kept before", () => {
  const cache = createAnswerCache();
  cache.put("key", answer(60), 0);
  cache.put("key", answer(0), 0);
  assert.equal(cache.get("key", 0), undefined);
});

test("flood: over the limit the oldest goes, and the size never passes it", () => {
  const cache = createAnswerCache(3);
  for (const key of ["a", "b", "c", "a", "d"]) cache.put(key, answer(60), 0);
  assert.equal(cache.size(), 3);
  assert.equal(cache.get("b", 0), undefined);
  assert.notEqual(cache.get("a", 0), undefined);
});
