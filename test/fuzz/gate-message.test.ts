/** What a gate says to seawalld, with hostile bytes in front of the reader: it never throws and believes no odd shape. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type FromGate, PIN_ADDRESSES_MAX, parseFromGate } from "../../src/core/gate/message.ts";

const RUNS = Number(process.env["SEAWALL_FUZZ_RUNS"] ?? 2_000);
const SETTINGS = { numRuns: RUNS, seed: 20_261_106 };
const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

const PIN = {
  kind: "pin",
  id: 1,
  scope: "agent",
  host: "a.example.com",
  addresses: ["192.0.2.1"],
  seconds: 90,
};
const REPORT = {
  kind: "report",
  report: {
    door: "dns",
    scope: "agent",
    host: "a.example.com",
    address: null,
    port: 53,
    protocol: "udp",
    decision: { verdict: "refuse", observed: false, rule: null, reason: "default", why: "no rule" },
    id: "sw-abcdefghijabcdefghij",
  },
};
const MESSAGES: readonly unknown[] = [
  { kind: "hello", pid: 42, version: "0.1.0" },
  { kind: "ready", id: 1, trouble: ["DNS on 127.0.0.1 port 18953: EADDRINUSE"] },
  PIN,
  REPORT,
];

for (const message of MESSAGES) {
  test(`is read as it was said: ${JSON.stringify(message).slice(0, 60)}`, () => {
    assert.deepEqual(parseFromGate(bytes(message)), message);
  });
}

for (const [title, message] of [
  ["a key too many", { ...PIN, more: 1 }],
  ["a prototype", JSON.parse('{"kind":"hello","pid":1,"__proto__":{"x":1},"y":2}') as unknown],
  ["an id below zero", { ...PIN, id: -1 }],
  ["an id that is no whole number", { ...PIN, id: 0.5 }],
  ["a pin for no time", { ...PIN, seconds: 0 }],
  ["a pin for longer than any answer is kept", { ...PIN, seconds: 4_001 }],
  [
    "more addresses than one answer has",
    { ...PIN, addresses: Array(PIN_ADDRESSES_MAX + 1).fill("192.0.2.1") },
  ],
  ["a name of a megabyte", { ...PIN, host: "a".repeat(1_000_000) }],
  [
    "a reason of any length",
    {
      ...REPORT,
      report: { ...REPORT.report, decision: { ...REPORT.report.decision, why: "w".repeat(601) } },
    },
  ],
  ["what only seawalld says", { kind: "setup", id: 1, committed: null }],
  ["a list", [PIN]],
  ["nothing", null],
] as const) {
  test(`is not read: ${title}`, () => assert.equal(parseFromGate(bytes(message)), undefined));
}

test("bytes that are no UTF-8 or no JSON are not read", () => {
  for (const hostile of [[0xff], [0xc0, 0x80], [...Buffer.from("{")], [...Buffer.from("{}{}")], []]) {
    assert.equal(parseFromGate(Uint8Array.from(hostile)), undefined);
  }
});

test("any bytes give a message or nothing", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (hostile) => {
      const read = parseFromGate(hostile);
      assert.ok(read === undefined || typeof read.kind === "string");
    }),
    SETTINGS,
  );
});

test("a message with a changed value is read as exactly that, or not at all", () => {
  const keys = ["kind", "id", "pid", "scope", "host", "addresses", "seconds", "report", "trouble"] as const;
  fc.assert(
    fc.property(fc.constantFrom(...MESSAGES), fc.constantFrom(...keys), fc.json(), (message, key, json) => {
      const changed = { ...(message as FromGate), [key]: JSON.parse(json) as unknown };
      const read = parseFromGate(bytes(changed));
      if (read !== undefined) assert.deepEqual(read, JSON.parse(JSON.stringify(changed)));
    }),
    SETTINGS,
  );
});
