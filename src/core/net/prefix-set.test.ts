import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Ip, parseIp } from "./ip.ts";
import { formatPrefix, parsePrefix, type Prefix } from "./prefix.ts";
import { containsIp, prefixesOf, prefixSetOf, subtractSet, unionSets } from "./prefix-set.ts";

const prefix = (text: string): Prefix => {
  const parsed = parsePrefix(text);
  assert.ok(parsed.ok, text);
  return parsed.prefix;
};
const setOf = (...texts: string[]) => prefixSetOf(texts.map(prefix));
const textOf = (set: ReturnType<typeof prefixSetOf>) => prefixesOf(set).map(formatPrefix).join(" ");

const rows: [string, string, string][] = [
  ["neighbours become one", textOf(setOf("10.0.0.0/25", "10.0.0.128/25")), "10.0.0.0/24"],
  ["order does not matter", textOf(setOf("10.0.1.0/24", "10.0.0.0/24")), "10.0.0.0/23"],
  ["a hole is cut", textOf(subtractSet(setOf("10.0.0.0/30"), setOf("10.0.0.1"))), "10.0.0.0 10.0.0.2/31"],
  ["a hole over everything", textOf(subtractSet(setOf("10.0.0.0/30"), setOf("0.0.0.0/0"))), ""],
  ["the whole of IPv4", textOf(setOf("0.0.0.0/0")), "0.0.0.0/0"],
  ["the whole of IPv6", textOf(setOf("::/0")), "::/0"],
  [
    "IPv6 hole",
    textOf(subtractSet(setOf("2001:db8::/126"), setOf("2001:db8::3"))),
    "2001:db8::/127 2001:db8::2",
  ],
  ["union of families", textOf(unionSets([setOf("10.0.0.0/8"), setOf("fd00::/8")])), "10.0.0.0/8 fd00::/8"],
];
for (const [name, seen, expected] of rows) test(name, () => assert.equal(seen, expected));

const arbitraryPrefix: fc.Arbitrary<Prefix> = fc.oneof(
  fc
    .tuple(fc.nat(0xffff_ffff), fc.integer({ min: 0, max: 32 }))
    .map(([value, bits]) =>
      prefix(`${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}/${bits}`),
    ),
  fc
    .tuple(fc.nat(0xffff), fc.integer({ min: 0, max: 128 }))
    .map(([group, bits]) => prefix(`2001:db8:${group.toString(16)}::1/${bits}`)),
);

test("membership after union and subtraction is membership by definition", () => {
  fc.assert(
    fc.property(
      fc.array(arbitraryPrefix, { maxLength: 90 }),
      fc.array(arbitraryPrefix, { maxLength: 12 }),
      (kept, taken) => {
        const set = subtractSet(prefixSetOf(kept), prefixSetOf(taken));
        for (const probe of [...kept, ...taken].flatMap(edges)) {
          const wanted = kept.some((one) => holds(one, probe)) && !taken.some((one) => holds(one, probe));
          assert.equal(containsIp(set, probe), wanted);
        }
      },
    ),
  );
});

function holds(network: Prefix, ip: Ip): boolean {
  return containsIp(prefixSetOf([network]), ip);
}

function edges(network: Prefix): Ip[] {
  if (network.base.family === 6) {
    const size = 1n << BigInt(128 - network.bits);
    return [
      network.base.value - 1n,
      network.base.value,
      network.base.value + size - 1n,
      network.base.value + size,
    ]
      .filter((value) => value >= 0n && value < 1n << 128n)
      .map((value) => ({ family: 6, value }));
  }
  const size = 2 ** (32 - network.bits);
  const start = network.base.value;
  return [start - 1, start, start + size - 1, start + size]
    .filter((value) => value >= 0 && value <= 0xffff_ffff)
    .map((value) => ({ family: 4, value }));
}

test("addresses in spellings that inet_aton reads are refused", () => {
  for (const text of [
    "127.1",
    "0x7f.0.0.1",
    "010.1.1.1",
    "2130706433",
    "1.2.3.4.",
    "fe80::1%eth0",
    "1.2.3.256",
    "",
    "::1::",
    ":1",
  ]) {
    assert.equal(parseIp(text), undefined, text);
  }
});
