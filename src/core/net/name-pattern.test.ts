import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPattern } from "./hostname.ts";
import { parseNamePattern } from "./name-pattern.ts";

for (const [text, pattern, breadth] of [
  ["api.example.com", "api.example.com", null],
  ["github.io", "github.io", null],
  ["s3.amazonaws.com", "s3.amazonaws.com", null],
  ["x.co.uk", "x.co.uk", null],
  ["corp.internal", "corp.internal", null],
  ["*.example.com", "*.example.com", null],
  ["**.example.com", "*.example.com", null],
  ["*.Example.COM.", "*.example.com", null],
  ["*.me.github.io", "*.me.github.io", null],
  ["*.com", "*.com", "public-suffix"],
  ["*.co.uk", "*.co.uk", "public-suffix"],
  ["*.kawasaki.jp", "*.kawasaki.jp", "public-suffix"],
  ["*.anything.kawasaki.jp", "*.anything.kawasaki.jp", "public-suffix"],
  ["*.city.kawasaki.jp", "*.city.kawasaki.jp", null],
  ["*.github.io", "*.github.io", "private-suffix"],
  ["*.s3.amazonaws.com", "*.s3.amazonaws.com", "private-suffix"],
  ["*.internal", "*.internal", "single-label"],
] as const) {
  test(`${text} is read as ${pattern}, breadth ${breadth}`, () => {
    const parsed = parseNamePattern(text);
    assert.ok(parsed.ok);
    assert.deepEqual([formatPattern(parsed.pattern), parsed.breadth], [pattern, breadth]);
  });
}

for (const [text, problem, instead] of [
  ["com", "public-suffix", null],
  ["co.uk", "public-suffix", null],
  ["localhost", "single-label", null],
  ["*", "wildcard", null],
  ["**", "wildcard", null],
  ["*.*", "wildcard", null],
  ["*.*.example.com", "wildcard", null],
  ["***.example.com", "wildcard", null],
  ["a.*.example.com", "wildcard", null],
  ["*a.example.com", "wildcard", null],
  ["*.", "empty", null],
  ["192.0.2.1", "address", null],
  ["::1", "address", null],
  ["*.192.0.2.1", "address", null],
  ["*.0.0.1", "address-spelling", null],
  ["127.1", "address-spelling", null],
  ["bücher.example", "unicode", "xn--bcher-kva.example"],
  ["*.bücher.example", "unicode", "*.xn--bcher-kva.example"],
  ["bü cher.example", "unicode", null],
  ["api.\u212Aeys.example", "unicode", "api.keys.example"],
  ["*.\u212Aeys.example", "unicode", "*.keys.example"],
] as const) {
  test(`${text} is refused: ${problem}`, () => {
    assert.deepEqual(parseNamePattern(text), { ok: false, problem, instead });
  });
}
