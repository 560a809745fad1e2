import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeConntrack } from "../../src/core/event/decode/conntrack.ts";
import { parseIp } from "../../src/core/net/ip.ts";
import { attribute, concat, nested, u16, u32, u8 } from "../../src/edge/kernel/netlink/message.ts";

const RUNS = Number(process.env["SEAWALL_FUZZ_RUNS"] ?? 2_000);
const four = [u32(0x7f000001), u32(0xc0000201)] as const;
const six = [new Uint8Array(16).fill(0x20), new Uint8Array(16).fill(0xfd)] as const;
const ports = nested(2, [attribute(1, u8(6)), attribute(2, u16(40_000)), attribute(3, u16(443))]);
/** An entry as the kernel writes it, one tuple of each family. */
const ENTRY = concat([
  nested(1, [nested(1, [attribute(1, four[0]), attribute(2, four[1])]), ports]),
  nested(2, [nested(1, [attribute(3, six[0]), attribute(4, six[1])]), ports]),
  attribute(3, u32(14)),
  nested(4, [nested(1, [attribute(1, u8(7))])]),
  attribute(8, u32(0xf3000007)),
  attribute(12, u32(77)),
]);

test("the entry that the others are made of decodes whole", () => {
  const tuple = { protocol: 6, sourcePort: 40_000, destinationPort: 443 };
  assert.deepEqual(decode(ENTRY), {
    original: { ...tuple, source: "127.0.0.1", destination: "192.0.2.1" },
    reply: {
      ...tuple,
      source: "2020:2020:2020:2020:2020:2020:2020:2020",
      destination: "fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fdfd",
    },
    mark: 0xf3000007,
    status: 14,
    id: 77,
    tcpState: 7,
  });
});

test("any bytes decode to a sound entry or to none", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 512 }), check), { numRuns: RUNS });
});

test("an entry with changed bytes or a cut end decodes to a sound entry or to none", () => {
  const change = fc.tuple(fc.nat(ENTRY.length - 1), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 8 }), fc.nat(ENTRY.length), (changes, length) => {
      const bytes = Uint8Array.from(ENTRY);
      for (const [at, value] of changes) bytes[at] = value;
      check(bytes);
      check(bytes.slice(0, length));
    }),
    { numRuns: RUNS },
  );
});

function decode(bytes: Uint8Array): ReturnType<typeof decodeConntrack> {
  return decodeConntrack(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length);
}

function check(bytes: Uint8Array): void {
  const entry = decode(bytes);
  if (entry === undefined) return;
  for (const tuple of [entry.original, entry.reply]) {
    assert.ok(parseIp(tuple.source) !== undefined && parseIp(tuple.destination) !== undefined);
    assert.ok(tuple.sourcePort <= 65_535 && tuple.destinationPort <= 65_535 && tuple.protocol <= 255);
  }
  assert.ok(entry.mark >= 0 && entry.status >= 0);
}
