import assert from "node:assert/strict";
import { test } from "node:test";
import type { Hostname } from "../net/hostname.ts";
import type { Ip } from "../net/ip.ts";
import { createBindings, pinSeconds } from "./binding.ts";

const A = "a.example.com" as Hostname;
const B = "b.example.com" as Hostname;
const ip = (value: number): Ip => ({ family: 4, value });

for (const [ttl, pinned] of [
  [0, 90],
  [59, 90],
  [60, 90],
  [61, 91],
  [3_600, 3_630],
] as const) {
  test(`an answer of ${ttl} s is pinned for ${pinned} s`, () => assert.equal(pinSeconds(ttl), pinned));
}

test("an address is bound to the name it was given for, and to no neighbour", () => {
  const bindings = createBindings();
  bindings.bind(A, ip(1), 1_000, 0);
  assert.deepEqual(
    [bindings.isBound(A, ip(1), 0), bindings.isBound(B, ip(1), 0), bindings.isBound(A, ip(2), 0)],
    [true, false, false],
  );
});

test("the same number in the other family is another address", () => {
  const bindings = createBindings();
  bindings.bind(A, ip(1), 1_000, 0);
  assert.equal(bindings.isBound(A, { family: 6, value: 1n }, 0), false);
});

test("a binding ends with its time", () => {
  const bindings = createBindings();
  bindings.bind(A, ip(1), 1_000, 0);
  assert.deepEqual([bindings.isBound(A, ip(1), 999), bindings.isBound(A, ip(1), 1_000)], [true, false]);
  assert.deepEqual(bindings.all(1_000), []);
});

test("a later answer with a shorter time takes nothing away", () => {
  const bindings = createBindings();
  bindings.bind(A, ip(1), 1_000, 0);
  bindings.bind(A, ip(1), 500, 0);
  assert.equal(bindings.isBound(A, ip(1), 999), true);
});

test("flood: over the limit the one that was used longest ago goes, and the one just made stays", () => {
  const bindings = createBindings(3);
  for (const value of [1, 2, 3]) bindings.bind(A, ip(value), 1_000, 0);
  bindings.bind(A, ip(1), 1_000, 0);
  bindings.bind(A, ip(4), 1_000, 0);
  const values = bindings.all(0).map(({ address }) => Number(address.value));
  assert.deepEqual(
    values.sort((a, b) => a - b),
    [1, 3, 4],
  );
});
