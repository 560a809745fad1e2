import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ADDRESSES_MAX, CHAIN_MAX } from "../../src/core/dns/chain.ts";
import { encodeForwarded, forwardAnyType } from "../../src/core/dns/forward.ts";
import { parseQuery, type Query, RCODE, TYPE } from "../../src/core/dns/message.ts";
import { encodeName, spellName } from "../../src/core/dns/name.ts";
import { RECORDS_MAX } from "../../src/core/dns/record.ts";
import { encodeReply, replyLimitBytes } from "../../src/core/dns/reply.ts";
import { frameOf, parseTcpFrames } from "../../src/core/dns/tcp-frame.ts";
import { type Asked, askedOf, parseUpstream } from "../../src/core/dns/upstream.ts";

/** `SEAWALL_FUZZ_RUNS` raises the count for a long run; the seed keeps the short one repeatable. */
const RUNS = Number(process.env["SEAWALL_FUZZ_RUNS"] ?? 2_000);
const SETTINGS = {
  numRuns: RUNS,
  ...(process.env["SEAWALL_FUZZ_RUNS"] === undefined ? { seed: 8_914 } : {}),
};

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ""), "hex"));

/** `wWw.example`, with EDNS, a cookie and DO. */
const QUERY = bytesOf(`1234 0120 0001 0000 0000 0001 03775777 076578616d706c65 00 0001 0001
  00 0029 1000 00008000 000c 000a0008 0011223344556677`);
/** Its answer: an alias into a name by pointers, three addresses of it, one of a stranger, signatures, proofs, SOA, OPT. */
const ANSWER = bytesOf(`1234 81a0 0001 0007 0003 0001 03775777 076578616d706c65 00 0001 0001
  c00c 0005 0001 0000012c 0007 0463646e31 c010
  c029 0001 0001 0000003c 0004 c6336401
  c029 0001 0001 0000003c 0004 c6336402
  c029 0001 0001 80000000 0004 c6336402
  c010 0001 0001 0000003c 0004 c6336442
  c00c 002e 0001 0000012c 001e 0005 08 02 0000012c 60000000 50000000 1234 076578616d706c65 00 777777
  c029 001c 0001 0000012c 0010 00000000000000000000ffff7f000001
  c010 0006 0001 00000384 001d 026e73 c010 01 61 c010 00000001 00000002 00000003 00000004 0000003c
  c010 002f 0001 00000384 000e 017a 076578616d706c65 00 000140
  c010 0002 0001 00000384 0005 026e73 c010
  00 0029 04d0 00008000 0000`);
const SAMPLES = [QUERY, ANSWER] as const;
const ASKED: Asked = { id: 0x1234, question: QUERY.slice(12, 25), type: TYPE.A };

test("the messages that the others are made of are read whole", () => {
  const parsed = parseUpstream(ANSWER, ANSWER.length, ASKED);
  assert.ok(parsed.ok, parsed.ok ? "" : parsed.problem);
  assert.deepEqual(parsed.answer.chain, ["cdn1.example"]);
  assert.deepEqual(
    parsed.answer.addresses.map(({ value }) => value),
    [0xc6336401, 0xc6336402],
  );
  assert.deepEqual([parsed.answer.records.length, parsed.answer.authority.length], [4, 1]);
  assert.deepEqual(askedOf(QUERY), ASKED);
  assert.ok(forwardAnyType(clientQuery(), ANSWER, ANSWER.length, 1_232) !== undefined);
});

/** Changes that keep a message long enough to be interesting: pointers, lengths and counts among them. */
const change = fc.tuple(
  fc.nat(ANSWER.length - 1),
  fc.oneof(fc.constantFrom(0, 1, 12, 41, 63, 64, 0x80, 0xc0, 0xff), fc.nat(255)),
);

function changed(sample: Uint8Array, changes: readonly (readonly [number, number])[]): Uint8Array {
  const bytes = Uint8Array.from(sample);
  for (const [at, value] of changes) bytes[at % bytes.length] = value;
  return bytes;
}

test("any bytes are read soundly or refused", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => check(bytes)),
    SETTINGS,
  );
});

test("any bytes behind a question that is ours are read soundly or refused", () => {
  const behind = fc.uint8Array({ maxLength: 400 });
  fc.assert(
    fc.property(fc.tuple(fc.nat(6), fc.nat(6), fc.nat(3)), behind, ([answers, authorities, others], rest) => {
      const head = ANSWER.with(7, answers).with(9, authorities).with(11, others).subarray(0, 29);
      check(Uint8Array.from([...head, ...rest]));
    }),
    SETTINGS,
  );
});

test("messages with changed bytes and cut ends are read soundly or refused", () => {
  fc.assert(
    fc.property(
      fc.array(change, { minLength: 1, maxLength: 8 }),
      fc.nat(ANSWER.length),
      (changes, length) => {
        for (const sample of SAMPLES) {
          const bytes = changed(sample, changes);
          check(bytes);
          check(bytes.slice(0, length));
        }
      },
    ),
    SETTINGS,
  );
});

test("an answer whose records alone are changed is read soundly or refused", () => {
  // Behind the question, so that nearly all of them are ours and are read.
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      check(
        changed(
          ANSWER,
          changes.map(([at, value]) => [29 + (at % (ANSWER.length - 29)), value] as const),
        ),
      );
    }),
    SETTINGS,
  );
});

test("what stands behind the length changes nothing", () => {
  fc.assert(
    fc.property(
      fc.array(change, { maxLength: 3 }),
      fc.nat(ANSWER.length),
      fc.uint8Array({ maxLength: 40 }),
      (changes, length, rest) => {
        for (const sample of SAMPLES) {
          const bytes = changed(sample, changes).slice(0, length);
          const longer = Uint8Array.from([...bytes, ...rest]);
          assert.deepEqual(parseQuery(longer, bytes.length), parseQuery(bytes));
          assert.deepEqual(
            parseUpstream(longer, bytes.length, ASKED),
            parseUpstream(bytes, bytes.length, ASKED),
          );
          assert.deepEqual(
            forwardAnyType(clientQuery(), longer, bytes.length, 1_232),
            forwardAnyType(clientQuery(), bytes, bytes.length, 1_232),
          );
        }
      },
    ),
    SETTINGS,
  );
});

test("a stream of any bytes gives frames within the limit and holds no more than it", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 12 }), (chunks) => {
      const frames = parseTcpFrames(300);
      for (const chunk of chunks) {
        for (const message of frames.push(chunk).messages)
          assert.ok(message.length >= 12 && message.length <= 300);
        assert.ok(frames.heldBytes() <= 302);
      }
    }),
    SETTINGS,
  );
});

test("attack: 5000 records, each a name of 127 labels by a chain of pointers, are refused unread", () => {
  const record = bytesOf("c00c 0001 0001 00000000 0004 01020304");
  const head = ANSWER.with(6, 5_000 >>> 8)
    .with(7, 5_000 & 255)
    .with(9, 0)
    .with(11, 0)
    .subarray(0, 29);
  const bytes = Uint8Array.from([...head, ...Array.from({ length: 4_000 }, () => [...record]).flat()]);
  assert.deepEqual(parseUpstream(bytes, bytes.length, ASKED), { ok: false, problem: "malformed" });
  const fewer = bytes.with(6, RECORDS_MAX >>> 8).with(7, RECORDS_MAX & 255);
  const parsed = parseUpstream(fewer, 29 + RECORDS_MAX * record.length, ASKED);
  assert.ok(parsed.ok && parsed.answer.addresses.length === 1);
});

function clientQuery(): Query {
  const parsed = parseQuery(QUERY);
  assert.ok(parsed.ok);
  return parsed.query;
}

/** No reader throws; what each returns is sound, and can be written again within its limit. */
function check(bytes: Uint8Array): void {
  const before = bytes.slice();
  checkQuery(bytes);
  checkUpstream(bytes);
  const whole = forwardAnyType(clientQuery(), bytes, bytes.length, 600);
  if (whole !== undefined) {
    assert.ok(whole.length <= 600);
    assert.deepEqual(askedOf(whole), ASKED);
    assert.ok(parseUpstream(whole, whole.length, ASKED).ok, "what is passed on can be read");
  }
  assert.deepEqual(bytes, before);
}

function checkQuery(bytes: Uint8Array): void {
  const parsed = parseQuery(bytes);
  if (!parsed.ok) {
    if (parsed.reply === null) return;
    assert.ok((parsed.reply[2] ?? 0) >= 0x80 && parsed.reply.length <= bytes.length + 11);
    assert.deepEqual(parsed.reply.subarray(0, 2), bytes.subarray(0, 2));
    return;
  }
  const { query } = parsed;
  assert.deepEqual(query.question.wire, bytes.slice(12, 12 + query.question.wire.length));
  assert.deepEqual(spellName(encodeName(query.question.text) ?? assert.fail()), query.question.text);
  const limit = replyLimitBytes(query, "udp");
  const ede = { code: 15, text: "seawall" };
  const reply = encodeReply(query, { kind: "negative", rcode: RCODE.nxdomain, soaSeconds: 5, ede }, limit);
  assert.ok(reply.length <= limit && !isTruncated(reply));
}

function checkUpstream(bytes: Uint8Array): void {
  const parsed = parseUpstream(bytes, bytes.length, ASKED);
  if (!parsed.ok) return;
  const { answer } = parsed;
  assert.ok(answer.chain.length <= CHAIN_MAX && answer.addresses.length <= ADDRESSES_MAX);
  assert.equal(new Set(["www.example", ...answer.chain]).size, 1 + answer.chain.length);
  assert.ok(answer.addresses.every(({ family }) => family === 4));
  assert.ok(answer.ttlSeconds >= 0 && answer.ttlSeconds < 2 ** 31);
  const query = clientQuery();
  const reply = encodeForwarded(query, answer, ({ value }) => value !== 0xc6336402, 60, 1_232);
  assert.ok(reply.length <= 1_232);
  const again = parseUpstream(reply, reply.length, ASKED);
  assert.ok(again.ok, "what is passed on can be read");
  if (again.answer.truncated || answer.problem !== null) return;
  assert.deepEqual(again.answer.chain, answer.chain);
  assert.deepEqual(
    again.answer.addresses,
    answer.addresses.filter(({ value }) => value !== 0xc6336402),
  );
}

function isTruncated(message: Uint8Array): boolean {
  return ((message[2] ?? 0) & 2) !== 0;
}

test("frames of whole messages come back", () => {
  const stream = Uint8Array.from(SAMPLES.flatMap((sample) => [...frameOf(sample)]));
  assert.deepEqual(parseTcpFrames(1_024).push(stream).messages, SAMPLES);
});
