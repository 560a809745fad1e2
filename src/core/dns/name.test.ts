import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ancestorsOf, encodeName, expandName, isAtOrBelow, NAME_BYTES_MAX, spellName } from "./name.ts";

function expand(hex: string, from: number, end?: number): { text: string; next: number } | undefined {
  const bytes = Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
  const into = new Uint8Array(NAME_BYTES_MAX);
  const name = expandName(bytes, from, end ?? bytes.length, { into, intoAt: 0, pointers: "follow" });
  return name && { text: spellName(into), next: name.next };
}

const HEADER = "00".repeat(12);
/** `a.b` at 12, `c` and a pointer to it at 17. */
const TWO = `${HEADER} 0161 0162 00 0163 c00c`;

test("a pointer is followed, and the name ends behind the pointer", () => {
  assert.deepEqual(expand(TWO, 17), { text: "c.a.b", next: 21 });
  assert.deepEqual(expand(`${TWO} c011 ff`, 21), { text: "c.a.b", next: 23 });
  assert.deepEqual(expand(`${HEADER} 0161 0162 00 c00e`, 17), { text: "b", next: 19 });
});

describe("no name is", () => {
  const rows: readonly [why: string, hex: string, from: number, end?: number][] = [
    ["a pointer to itself", `${HEADER} c00c`, 12],
    ["a pointer that leads forward", `${HEADER} c00e 0161 00`, 12],
    ["two pointers to each other", `${HEADER} c00e c00c`, 14],
    ["a pointer to the start of its own name", `${HEADER} 0161 c00c`, 12],
    ["a pointer into the middle of its own name", `${HEADER} 0161 0162 c00e`, 12],
    ["a pointer behind which the same pointer stands", `${HEADER} 0161 0162 c00c`, 14],
    ["a pointer into the header", `${HEADER} c000`, 12],
    ["a pointer without its second byte", `${HEADER} 00 c0`, 13],
    ["a pointer whose second byte is behind the end", `${HEADER} 00 c00c`, 13, 14],
    ["a label behind the end", `${HEADER} 0361`, 12],
    ["a label that the end cuts", `${HEADER} 026161 00`, 12, 14],
    ["a name whose zero byte is behind the end", `${HEADER} 0161 00`, 12, 14],
    ["one that starts at the end", HEADER, 12],
    ["a label of the type 0x40", `${HEADER} 4161 00`, 12],
    ["a label of the type 0x80", `${HEADER} 8161 00`, 12],
  ];
  for (const [why, hex, from, end] of rows) {
    test(why, () => assert.equal(expand(hex, from, end), undefined));
  }
});

test("a name that grows over 255 bytes by pointers is refused, one of 255 is read", () => {
  // 100 names, each a label of one byte and a pointer to the one before: two bytes more each time.
  const ladder = (rungs: number): string =>
    `${HEADER} 0161 00 ${Array.from({ length: rungs }, (_, at) => `0161 c0${(at === 0 ? 12 : 11 + 4 * at).toString(16).padStart(2, "0")}`).join(" ")}`;
  assert.equal(expand(ladder(50), 15 + 4 * 49)?.text, Array(51).fill("a").join("."));
  const long = "3f" + "61".repeat(63);
  const three = `${HEADER} ${long}${long}${long} 00`;
  assert.equal(expand(`${three} 3d${"61".repeat(61)} c00c`, 12 + 193)?.text.length, 253);
  assert.equal(expand(`${three} 3e${"61".repeat(62)} c00c`, 12 + 193), undefined);
});

test("a chain of pointers without labels has an end", () => {
  // Each pointer leads two bytes back: nothing but the count ends it.
  const pointers = (count: number): string =>
    `${HEADER} 0161 00 00 ${Array.from({ length: count }, (_, at) => {
      const target = at === 0 ? 12 : 14 + 2 * at;
      return (0xc000 | target).toString(16);
    }).join(" ")}`;
  assert.equal(expand(pointers(127), 16 + 2 * 126)?.text, "a");
  assert.equal(expand(pointers(128), 16 + 2 * 127), undefined);
});

test("every name has one text, and the text spells the name", () => {
  const label = fc.uint8Array({ minLength: 1, maxLength: 63 });
  fc.assert(
    fc.property(fc.array(label, { maxLength: 3 }), (labels) => {
      const wire = Uint8Array.from([...labels.flatMap((bytes) => [bytes.length, ...bytes]), 0]);
      const lower = wire.map((byte, at) => (isLength(wire, at) || byte < 65 || byte > 90 ? byte : byte + 32));
      assert.deepEqual(encodeName(spellName(wire)), lower);
    }),
  );
});

function isLength(wire: Uint8Array, place: number): boolean {
  let at = 0;
  while (at < place) at += 1 + (wire[at] ?? 0);
  return at === place;
}

test("a text that spells no name has no encoding", () => {
  for (const text of [
    "a..b",
    ".",
    "a.",
    ".a",
    "\\1",
    "\\256",
    "\\999",
    "\\-12",
    "ā",
    "a".repeat(64),
    Array(64).fill("abc").join("."),
  ])
    assert.equal(encodeName(text), undefined, text);
});

test("the ancestors of a name are named from the nearest to the root", () => {
  assert.deepEqual(ancestorsOf("a.b.example.com"), ["b.example.com", "example.com", "com", ""]);
  assert.deepEqual(ancestorsOf("com"), [""]);
  assert.deepEqual(ancestorsOf(""), []);
  assert.deepEqual(ancestorsOf("x.a\\046b"), ["a\\046b", ""]);
});

test("a name stands below another only at a boundary of labels", () => {
  const rows: readonly [string, string, boolean][] = [
    ["a.b", "b", true],
    ["b", "b", true],
    ["ab", "b", false],
    ["b", "a.b", false],
    ["b", "", true],
    ["evil-b.c", "b.c", false],
  ];
  for (const [name, ancestor, expected] of rows)
    assert.equal(isAtOrBelow(name, ancestor), expected, `${name} ${ancestor}`);
});
