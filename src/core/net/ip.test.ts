import assert from "node:assert/strict";
import { isIPv4, isIPv6 } from "node:net";
import { describe, test } from "node:test";
import fc from "fast-check";
import { formatIp, formatIp6, parseIp } from "./ip.ts";

const ROWS: [text: string, canonical: string | undefined][] = [
  ["1.2.3.4", "1.2.3.4"],
  ["255.255.255.255", "255.255.255.255"],
  ["::", "::"],
  ["::1", "::1"],
  ["1::", "1::"],
  ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
  ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
  ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
  ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
  ["::ffff:1.2.3.4", "1.2.3.4"],
  ["::ffff:102:304", "1.2.3.4"],
  ["64:ff9b::1.2.3.4", "64:ff9b::102:304"],
  ["1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"],
  ["1:2:3:4:5:6:7:1.2.3.4", undefined],
  ["1.2.3.4::", undefined],
  ["1:2:3:4:5:6:7", undefined],
  ["1:2:3:4:5:6:7:8:9", undefined],
  ["1::2::3", undefined],
  [":::", undefined],
  ["1:", undefined],
  [":1", undefined],
  ["1:::2", undefined],
  ["12345::", undefined],
  ["g::", undefined],
  ["fe80::1%eth0", undefined],
  ["1:2:3:4::5:6:7:8", undefined],
];
describe("an address", () => {
  for (const [text, canonical] of ROWS) {
    test(`${text} is ${canonical ?? "refused"}`, () => {
      const ip = parseIp(text);
      assert.equal(ip === undefined ? undefined : formatIp(ip), canonical);
    });
  }

  test("is read as Node reads it, over random texts", () => {
    const text = fc.oneof(
      fc.ipV6(),
      fc.ipV4(),
      fc.string({ unit: fc.constantFrom(...Array.from("0123456789abcdefF:.")), maxLength: 24 }),
    );
    fc.assert(
      fc.property(text, (one) => assert.equal(parseIp(one) !== undefined, isIPv4(one) || isIPv6(one), one)),
      { numRuns: 5_000 },
    );
  });

  test("comes back from its own text", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), (value) => {
        const ip = parseIp(formatIp6(value));
        if (ip?.family === 6) assert.equal(ip.value, value);
        else assert.equal(value >> 32n, 0xffffn);
      }),
    );
  });
});
