import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { encodeForwarded, forwardAnyType } from "./forward.ts";
import { parseQuery, type Query, RCODE, TYPE } from "./message.ts";
import { encodeName } from "./name.ts";
import type { ResourceRecord } from "./record.ts";
import { encodeQuestion, parseUpstream, type UpstreamAnswer } from "./upstream.ts";

const OPTIONS = { dnssecOk: false, checkingDisabled: false, udpSize: 1232 };
const name = (text: string): Uint8Array => encodeName(text) ?? assert.fail(text);

function record(
  owner: string,
  type: number,
  content: Iterable<number>,
  target: string | null = null,
): ResourceRecord {
  return { owner, type, class: 1, ttlBits: 300, ttlSeconds: 300, content: Uint8Array.from(content), target };
}

const a = (owner: string, last: number): ResourceRecord => record(owner, TYPE.A, [198, 51, 100, last]);
const cname = (owner: string, target: string): ResourceRecord =>
  record(owner, TYPE.CNAME, name(target), target);
const soa = (owner: string): ResourceRecord => record(owner, TYPE.SOA, Array<number>(22).fill(0));
/** A signature over the records of a type; its bytes are looked at by nobody here. */
const rrsig = (owner: string, covered: number): ResourceRecord =>
  record(owner, TYPE.RRSIG, [0, covered, ...Array<number>(16).fill(1), ...name("example"), 7, 7, 7]);

function answerOf(fields: Partial<UpstreamAnswer>): UpstreamAnswer {
  const nothing = { chain: [], addresses: [], records: [], authority: [], problem: null };
  return {
    ...nothing,
    rcode: 0,
    truncated: false,
    authenticData: false,
    ttlSeconds: 300,
    complete: true,
    ...fields,
  };
}

/** A client's query in its own case, with DO and AD as told. */
function ask({ dnssecOk = false, edns = true, authenticData = false } = {}, type: number = TYPE.A): Query {
  const parsed = parseQuery(
    encodeQuestion(0xbeef, "www.example", type, {
      ...OPTIONS,
      dnssecOk,
      authenticData,
      caseBits: new Uint8Array([2]),
    }),
  );
  assert.ok(parsed.ok);
  return edns ? parsed.query : { ...parsed.query, edns: null };
}

/** What the reply says when it is read as an upstream's. */
function readBack(query: Query, reply: Uint8Array): UpstreamAnswer {
  const parsed = parseUpstream(reply, reply.length, {
    id: 0xbeef,
    question: query.question.wire,
    type: query.question.type,
  });
  assert.ok(parsed.ok, parsed.ok ? "" : parsed.problem);
  return parsed.answer;
}

const SIGNED = answerOf({
  authenticData: true,
  records: [
    cname("www.example", "b.example"),
    a("b.example", 1),
    a("b.example", 2),
    rrsig("www.example", TYPE.CNAME),
    rrsig("b.example", TYPE.A),
  ],
});
const keepAll = (): boolean => true;

describe("a signed answer is passed on", () => {
  const seen = (query: Query, keep: (last: number) => boolean): unknown => {
    const reply = encodeForwarded(query, SIGNED, (ip) => ip.family === 4 && keep(ip.value & 255), 33, 1232);
    const { records, authenticData } = readBack(query, reply);
    assert.ok(records.every(({ ttlSeconds }) => ttlSeconds === 33));
    return [records.map(({ type }) => type), authenticData];
  };
  test("whole, with signatures and AD, when DO was set", () =>
    assert.deepEqual(seen(ask({ dnssecOk: true }), keepAll), [[5, 1, 1, 46, 46], true]));
  test("without signatures and AD when DO was not set", () =>
    assert.deepEqual(seen(ask(), keepAll), [[5, 1, 1], false]));
  test("with AD alone when AD was asked for", () =>
    assert.deepEqual(seen(ask({ authenticData: true }), keepAll), [[5, 1, 1], true]));
  test("without signatures and AD when an address was removed", () =>
    assert.deepEqual(
      seen(ask({ dnssecOk: true }), (last) => last === 2),
      [[5, 1], false],
    ));
});

test("no AD and no proofs are passed on with what is left of a signed answer, nor with TC", () => {
  const query = ask({ dnssecOk: true, authenticData: true });
  const answer = { ...SIGNED, authority: [soa("example")] };
  const reply = encodeForwarded(query, answer, ({ value }) => value === 0xc633_6402, 33, 1232);
  const { addresses, authenticData } = readBack(query, reply);
  assert.deepEqual([addresses.length, authenticData, reply[9]], [1, false, 0]);
  const long = { ...SIGNED, records: Array.from({ length: 40 }, (_, at) => a("www.example", at)) };
  const cut = encodeForwarded(query, long, keepAll, 33, 512);
  assert.deepEqual([cut[2], (cut[3] ?? 0) & 0x20], [0x83, 0]);
});

test("no pointer leads to what stands behind the first 16384 bytes", () => {
  const text = record("www.example", TYPE.TXT, Array<number>(17_000).fill(0));
  const answer = answerOf({ records: [text, a("late.test", 1), a("late.test", 2)] });
  const reply = Buffer.from(encodeForwarded(ask({ edns: false }, TYPE.TXT), answer, keepAll, 1, 65_535));
  const record4 = "046c61746504746573740000010001000000010004c63364";
  assert.equal(reply.subarray(-50).toString("hex"), `${record4}01${record4}02`);
});

test("a reply has the client's id and spelling, and no OPT that it did not ask for", () => {
  const query = ask({ edns: false });
  const reply = encodeForwarded(query, SIGNED, keepAll, null, 512);
  assert.equal(
    Buffer.from(reply.subarray(0, 25)).toString("hex"),
    "beef8180000100030000000003775777076578616d706c6500",
  );
});

test("a denial is passed on with its SOA, and with its proofs when DO was set", () => {
  const nsec = record("example", TYPE.NSEC, [...name("z.example"), 0, 1, 0x40]);
  const authority = [soa("example"), nsec, rrsig("example", TYPE.NSEC), rrsig("example", TYPE.SOA)];
  const denial = answerOf({ rcode: RCODE.nxdomain, authority });
  const types = (query: Query): number[] =>
    readBack(query, encodeForwarded(query, denial, keepAll, 5, 1232)).authority.map(({ type }) => type);
  assert.deepEqual(types(ask({ dnssecOk: true })), [6, 47, 46, 46]);
  assert.deepEqual(types(ask()), [6]);
});

test("a chain with a problem becomes SERVFAIL without records", () => {
  const query = ask();
  const { rcode, records } = readBack(
    query,
    encodeForwarded(query, answerOf({ problem: "chain-too-long" }), keepAll, 60, 1232),
  );
  assert.deepEqual({ rcode, records }, { rcode: RCODE.servfail, records: [] });
});

test("an answer over the limit is passed on as TC without records", () => {
  const query = ask();
  const answer = answerOf({ records: Array.from({ length: 40 }, (_, at) => a("www.example", at)) });
  const reply = encodeForwarded(query, answer, keepAll, 60, 512);
  assert.ok(reply.length <= 512 && readBack(query, reply).truncated);
  assert.equal(readBack(query, encodeForwarded(query, answer, keepAll, 60, 1232)).addresses.length, 40);
});

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
}

test("while observing, an answer of any type and section is passed on with its own TTL", () => {
  const query = ask({ edns: false }, TYPE.MX);
  const bytes = bytesOf(
    "1234 8180 0001 0002 0001 0002 03777777 076578616d706c65 00 000f 0001" +
      "c00c 000f 0001 0000012c 0007 000a 026d78 c010" +
      "c00c 1267 0003 0000012c 0002 c00c" +
      "c010 0002 0001 0000012c 0005 026e73 c010" +
      "c02b 0001 0001 0000004d 0004 c6336404" +
      "00 0029 04d0 00000000 0000",
  );
  const reply = forwardAnyType(query, bytes, bytes.length, 1232);
  assert.ok(reply !== undefined);
  // The question is the same but for its id and case, and OPT is gone: all else is as long as it says.
  assert.equal(
    Buffer.from(reply).toString("hex"),
    "beef8180000100020001000103775777076578616d706c6500000f0001" +
      "c00c000f00010000012c000e000a026d78076578616d706c6500" +
      "c00c126700030000012c0002c00c" +
      "c010000200010000012c000c026e73076578616d706c6500" +
      "026d78c010000100010000004d0004c6336404",
  );
});

test("while observing, a broken message is passed on as nothing, and a truncated one as TC", () => {
  const bytes = bytesOf(
    "1234 8180 0001 0001 0000 0000 03777777 076578616d706c65 00 0001 0001 c00c 0001 0001 0000012c 0004 c6336401",
  );
  assert.equal(forwardAnyType(ask(), bytes, bytes.length - 1, 512), undefined);
  assert.equal(forwardAnyType(ask(), bytes, 11, 512), undefined);
  const cut = forwardAnyType(ask(), bytes.with(2, 0x83), bytes.length - 1, 512);
  assert.ok(cut !== undefined && readBack(ask(), cut).truncated);
});
