import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createTurns } from "./turns.ts";

/** Work that ends when it is told to. */
function work(log: string[], name: string) {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  return { run: () => (log.push(name), promise), resolve, reject };
}
/** Everything that can go on has gone on. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("turns", () => {
  it("go one after the other", async () => {
    const log: string[] = [];
    const [one, two] = [work(log, "one"), work(log, "two")];
    const turns = createTurns();
    const first = turns.take("a", one.run);
    const second = turns.take("b", two.run);
    await settled();
    assert.deepEqual(log, ["one"]);
    one.resolve();
    await first;
    await settled();
    assert.deepEqual(log, ["one", "two"]);
    two.resolve();
    await second;
  });
  it("wait once, however often the same is asked meanwhile", async () => {
    const log: string[] = [];
    const [one, two] = [work(log, "one"), work(log, "two")];
    const turns = createTurns();
    void turns.take("a", one.run);
    await settled();
    const again = [1, 2, 3].map(() => turns.take("a", two.run));
    one.resolve();
    two.resolve();
    await Promise.all(again);
    assert.deepEqual(log, ["one", "two"]);
  });
  it("go on after one that failed", async () => {
    const log: string[] = [];
    const [one, two] = [work(log, "one"), work(log, "two")];
    const turns = createTurns();
    const first = turns.take("a", one.run);
    const second = turns.take("b", two.run);
    one.reject(new Error("no answer"));
    two.resolve();
    await assert.rejects(first, /no answer/);
    await second;
    assert.deepEqual(log, ["one", "two"]);
  });
});
