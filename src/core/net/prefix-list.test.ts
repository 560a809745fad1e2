import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parsePrefix } from "./prefix.ts";
import { parsePrefixList } from "./prefix-list.ts";
import { formatPrefix } from "./prefix.ts";
import { prefixesOf, prefixSetOf } from "./prefix-set.ts";

const ROWS: [name: string, text: string, expected: string | number][] = [
  ["one a line", "10.0.0.0/8\n192.0.2.1\n2001:db8::/32\n", "10.0.0.0/8 192.0.2.1 2001:db8::/32"],
  ["comments, blanks and CRLF", "# a list\r\n\r\n 10.0.0.0/8 # ours\r\n", "10.0.0.0/8"],
  ["host bits are cut", "10.1.2.3/8", "10.0.0.0/8"],
  ["the whole of IPv4", "0.0.0.0/0", "0.0.0.0/0"],
  ["an empty list", "", ""],
  ["a name is refused in its line", "10.0.0.0/8\nexample.com\n", 2],
  ["a length with a leading zero is refused", "10.0.0.0/08", 1],
  ["a length too long is refused", "10.0.0.0/33", 1],
  ["a length that is no number is refused", "10.0.0.0/1x", 1],
  ["an exponent is no length", "10.0.0.0/1e", 1],
  ["a sign is no length", "10.0.0.0/+8", 1],
  ["a blank is no length", "10.0.0.0/ 8", 1],
  ["octal is refused", "010.0.0.0/8", 1],
];
for (const [name, text, expected] of ROWS) {
  test(name, () => {
    const parsed = parsePrefixList(text);
    assert.equal(parsed.ok ? prefixesOf(parsed.set).map(formatPrefix).join(" ") : parsed.line, expected);
  });
}

test("a list is what its lines are, one by one", () => {
  const word = fc.oneof(
    fc.tuple(
      fc.ipV4(),
      fc.constantFrom("", "/0", "/7", "/8", "/24", "/31", "/32", "/33", "/ 8", "/+8", "/08"),
    ),
    fc.tuple(fc.ipV6(), fc.constantFrom("", "/0", "/32", "/64", "/128", "/129")),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), (words) => {
      const lines = words.map(([address, length]) => `${address}${length}`);
      const single = lines.map((line) => parsePrefix(line));
      const bad = single.findIndex((one) => !one.ok);
      const parsed = parsePrefixList(lines.join("\n"));
      if (bad >= 0) assert.deepEqual(parsed, { ok: false, line: bad + 1 });
      else
        assert.deepEqual(
          parsed.ok && parsed.set,
          prefixSetOf(single.flatMap((one) => (one.ok ? [one.prefix] : []))),
        );
    }),
  );
});
