import assert from "node:assert/strict";
import { before, test } from "node:test";
import { jsonFromNamespace } from "../support/namespace-json.ts";

let seen: Record<string, unknown> = {};
before(async () => {
  const script = new URL("./in-namespace/set-elements.ts", import.meta.url);
  seen = (await jsonFromNamespace(script)) as Record<string, unknown>;
});

test("9001 IPv4 intervals loaded by netlink read back exactly like the same set loaded by nft", () => {
  assert.equal(seen["same4"], true);
  assert.equal(seen["count4"], 9001);
});

test("9001 IPv6 intervals loaded by netlink read back exactly like the same set loaded by nft", () => {
  assert.equal(seen["same6"], true);
  assert.equal(seen["count6"], 9001);
});

test("the whole address space is one element", () => {
  assert.deepEqual(seen["whole4"], [{ prefix: { addr: "0.0.0.0", len: 0 } }]);
});

test("a pin is in the set with its timeout", () => {
  assert.equal(timeoutOf(seen["pinned"]), 600);
});

test("refreshing a pin starts its longer timeout anew", () => {
  assert.equal(timeoutOf(seen["refreshed"]), 900);
});

test("refreshing works after refused transactions: no stale answer is taken for its own", () => {
  assert.equal(timeoutOf(seen["afterFailures"]), 300);
});

for (const [what, field, errno] of [
  ["a set that does not exist", "noSet", "ENOENT"],
  ["a table that does not exist", "noTable", "ENOENT"],
  ["a key that is too short", "shortKey", "EINVAL"],
  ["intervals for a set without the interval flag", "notAnIntervalSet", "EINVAL"],
  ["an interval that overlaps others", "overlapping", "(EEXIST|ENOTEMPTY)"],
] as const) {
  test(`${what} is refused with ${errno}`, () => {
    assert.match(
      String(seen[field]),
      new RegExp(`^SeawallError: set .* does not take the elements: ${errno}$`),
    );
  });
}

function timeoutOf(elements: unknown): unknown {
  const [element] = elements as { elem: { val: unknown; timeout: number } }[];
  assert.deepEqual(element?.elem.val, { concat: ["192.0.2.1", 443] });
  return element?.elem.timeout;
}
