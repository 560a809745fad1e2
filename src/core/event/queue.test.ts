import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createBoundedQueue } from "./queue.ts";

test("a full queue drops its oldest entry and says so", () => {
  const queue = createBoundedQueue<string>(2);
  assert.deepEqual(
    ["a", "b", "c"].map((entry) => queue.push(entry)),
    [false, false, true],
  );
  assert.deepEqual(queue.peek(9), ["b", "c"]);
});

test("entries that were looked at are still there until they are discarded", () => {
  const queue = createBoundedQueue<string>(3);
  queue.push("a");
  queue.push("b");
  assert.deepEqual(queue.peek(1), ["a"]);
  queue.discard(1);
  assert.deepEqual(queue.peek(1), ["b"]);
  assert.equal(queue.length, 1);
});

test("it behaves like a list that is cut at the front, whatever is done to it", () => {
  const steps = fc.array(fc.oneof(fc.constant("push" as const), fc.integer({ min: 0, max: 6 })), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 5 }), (actions, lengthMax) => {
      const queue = createBoundedQueue<number>(lengthMax);
      let list: number[] = [];
      for (const [at, action] of actions.entries()) {
        if (action === "push") {
          assert.equal(queue.push(at), list.length === lengthMax);
          list = [...list, at].slice(-lengthMax);
        } else {
          queue.discard(action);
          list = list.slice(action);
        }
        assert.deepEqual(queue.peek(9), list);
        assert.equal(queue.length, list.length);
      }
    }),
  );
});
