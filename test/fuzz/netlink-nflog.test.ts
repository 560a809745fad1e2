import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { createNflogDecoder, type NflogRecord } from "../../src/core/event/decode/nflog.ts";
import { parseIp } from "../../src/core/net/ip.ts";

/** Seven packets as the kernel sent them: UDP and TCP over IPv4 and IPv6, one of them foreign. */
const REAL = Buffer.from(
  readFileSync(new URL("./nflog-datagram.hex", import.meta.url), "latin1").replaceAll("\n", ""),
  "hex",
);
const RUNS = Number(process.env["SEAWALL_FUZZ_RUNS"] ?? 2_000);

function decodeAll(bytes: Uint8Array, length = bytes.length): NflogRecord[] {
  const records: NflogRecord[] = [];
  const decode = createNflogDecoder((index) => `if${index}`);
  decode(bytes, length, 1, (record) => records.push(record));
  return records;
}

test("the datagram that the others are made of holds six flows and one foreign record", () => {
  const kinds = decodeAll(REAL).map((record) => record.kind);
  assert.deepEqual(kinds.toSorted(), ["flow", "flow", "flow", "flow", "flow", "flow", "foreign"]);
});

test("any bytes decode to sound records, at most one for each message header", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_048 }), (bytes) => checkRecords(bytes)),
    { numRuns: RUNS },
  );
});

const damage = fc.array(fc.tuple(fc.nat(REAL.length - 1), fc.integer({ min: 0, max: 255 })), {
  minLength: 1,
  maxLength: 12,
});

test("a real datagram with changed bytes decodes to sound records", () => {
  fc.assert(
    fc.property(damage, (changes) => {
      const bytes = Uint8Array.from(REAL);
      for (const [at, value] of changes) bytes[at] = value;
      checkRecords(bytes);
    }),
    { numRuns: RUNS },
  );
});

test("a real datagram that is cut off gives the records that are whole", () => {
  for (let length = 0; length <= REAL.length; length += 1) {
    const cut = decodeAll(REAL, length);
    assert.deepEqual(cut, decodeAll(REAL).slice(0, cut.length));
    checkRecords(Uint8Array.from(REAL.subarray(0, length)));
  }
});

test("a length that claims more than there is ends at the buffer", () => {
  assert.deepEqual(decodeAll(REAL, REAL.length + 100_000), decodeAll(REAL));
});

function checkRecords(bytes: Uint8Array): void {
  const records = decodeAll(bytes);
  assert.ok(records.length <= bytes.length / 16);
  for (const record of records) {
    if (record.kind !== "flow") continue;
    const { event } = record;
    assert.ok(parseIp(event.source) !== undefined && parseIp(event.destination) !== undefined);
    for (const port of [event.sourcePort, event.destinationPort])
      assert.ok(port === null || (port >= 0 && port <= 65_535));
    assert.ok(event.bytes >= 0 && event.protocol >= 0 && event.protocol <= 255);
  }
}
