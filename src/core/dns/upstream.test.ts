import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatIp } from "../net/ip.ts";
import { parseQuery, RCODE, TYPE } from "./message.ts";
import { encodeName } from "./name.ts";
import { type Asked, askedOf, encodeQuestion, parseUpstream, type UpstreamAnswer } from "./upstream.ts";

const OPTIONS = { dnssecOk: false, checkingDisabled: false, udpSize: 1232 };
const ID = 0x1234;
const HEADER_OK = 0x8180;

interface Wire {
  readonly owner?: string;
  readonly type?: number;
  readonly class?: number;
  readonly ttl?: number;
  readonly content: readonly number[];
}

interface Built {
  readonly name?: string;
  readonly type?: number;
  readonly flags?: number;
  readonly answer?: readonly Wire[];
  readonly authority?: readonly Wire[];
  readonly additional?: readonly Wire[];
}

const word = (value: number): number[] => [value >>> 8, value & 255];
const name = (text: string): number[] => [...(encodeName(text) ?? assert.fail(text))];
const a = (owner: string, last: number, ttl = 300): Wire => ({ owner, ttl, content: [198, 51, 100, last] });
const cname = (owner: string, target: string, ttl = 300): Wire => ({
  owner,
  ttl,
  type: TYPE.CNAME,
  content: name(target),
});
const soa = (owner: string, ttl: number, minimum: number): Wire => ({
  owner,
  ttl,
  type: TYPE.SOA,
  content: [
    ...name("ns.example"),
    ...name("admin.example"),
    ...Array<number>(16).fill(0),
    ...word(0),
    ...word(minimum),
  ],
});

function record({
  owner = "www.example",
  type = TYPE.A,
  class: class_ = 1,
  ttl = 300,
  content,
}: Wire): number[] {
  return [
    ...name(owner),
    ...word(type),
    ...word(class_),
    ...word(ttl / 65_536),
    ...word(ttl % 65_536),
    ...word(content.length),
    ...content,
  ];
}

/** A reply to the question for `www.example`, A. */
function build({
  name: asked = "www.example",
  type = TYPE.A,
  flags = HEADER_OK,
  answer = [],
  authority = [],
  additional = [],
}: Built): Uint8Array {
  const counts = [1, answer.length, authority.length, additional.length].flatMap(word);
  const records = [...answer, ...authority, ...additional].flatMap(record);
  return Uint8Array.from([
    ...word(ID),
    ...word(flags),
    ...counts,
    ...name(asked),
    ...word(type),
    ...word(1),
    ...records,
  ]);
}

function askFor(asked: string, type: number): Asked {
  return askedOf(encodeQuestion(ID, asked, type, OPTIONS));
}

function parse(built: Built): UpstreamAnswer {
  const bytes = build(built);
  const parsed = parseUpstream(
    bytes,
    bytes.length,
    askFor(built.name ?? "www.example", built.type ?? TYPE.A),
  );
  assert.ok(parsed.ok, parsed.ok ? "" : parsed.problem);
  return parsed.answer;
}

const shown = ({ addresses }: UpstreamAnswer): readonly string[] => addresses.map(formatIp);

test("a question has RD, its name in the random case, EDNS, and one bit a letter", () => {
  const message = encodeQuestion(7, "a-1.bcd.example", TYPE.AAAA, {
    ...OPTIONS,
    dnssecOk: true,
    caseBits: new Uint8Array([0b1000_0101]),
  });
  assert.equal(
    Buffer.from(message).toString("hex"),
    "000701000001000000000001" +
      "03412d31" +
      "03624364" +
      "07657861" +
      "4d706c65" +
      "00" +
      "001c0001" +
      "00002904d0000080000000",
  );
  const query = parseQuery(message);
  assert.ok(
    query.ok && query.query.question.text === "a-1.bcd.example" && query.query.edns?.dnssecOk === true,
  );
});

describe("not ours, so that waiting goes on, is a message", () => {
  const good = build({ answer: [a("www.example", 1)] });
  const asked = askFor("www.example", TYPE.A);
  const changed = (at: number, value: number): Uint8Array => good.with(at, value);
  const rows: readonly [why: string, bytes: Uint8Array][] = [
    ["of another id", changed(0, 0x13)],
    ["that is a query", changed(2, 0x01)],
    ["of another opcode", changed(2, 0x91)],
    ["without a question", changed(5, 0)],
    ["with two questions", changed(5, 2)],
    ["about the name in another case", changed(13, 0x57)],
    ["about another name", changed(13, 0x78)],
    ["about another type", changed(26, 28)],
    ["about another class", changed(28, 3)],
    ["that ends in its question", good.subarray(0, 28)],
    ["of no bytes", new Uint8Array(0)],
  ];
  for (const [why, bytes] of rows) {
    test(why, () =>
      assert.deepEqual(parseUpstream(bytes, bytes.length, asked), { ok: false, problem: "mismatch" }),
    );
  }
  test("and what they were made of is ours", () => assert.ok(parseUpstream(good, good.length, asked).ok));
});

describe("ours and malformed is a message", () => {
  const one = (wire: Wire): Uint8Array => build({ answer: [wire] });
  const good = one(a("www.example", 1));
  const rows: readonly [why: string, bytes: Uint8Array][] = [
    ["whose last record is cut", good.subarray(0, -1)],
    ["with bytes behind its end", Uint8Array.from([...good, 0])],
    ["that counts a record more than it has", good.with(7, 2)],
    ["that counts 65535 records", good.with(6, 255).with(7, 255)],
    ["with an A record of five bytes", one({ content: [1, 2, 3, 4, 5] })],
    ["with an AAAA record of four bytes", one({ type: TYPE.AAAA, content: [1, 2, 3, 4] })],
    ["with a record length behind the end", good.with(good.length - 5, 5)],
    ["with a CNAME that leaves its record", one({ type: TYPE.CNAME, content: [5, 97] })],
    ["with a CNAME and a byte more", one({ type: TYPE.CNAME, content: [1, 97, 0, 0] })],
    ["with a CNAME of a pointer to itself", one({ type: TYPE.CNAME, content: [0xc0, 52] })],
    ["with a CNAME of a pointer forward", one({ type: TYPE.CNAME, content: [0xc0, 60] })],
    ["with an SOA of two names alone", one({ type: TYPE.SOA, content: [0, 0] })],
    ["with a signature of four bytes", one({ type: TYPE.RRSIG, content: [0, 1, 2, 3] })],
    ["with an MX of one byte", one({ type: TYPE.MX, content: [0] })],
  ];
  for (const [why, bytes] of rows) {
    test(why, () =>
      assert.deepEqual(parseUpstream(bytes, bytes.length, askFor("www.example", TYPE.A)), {
        ok: false,
        problem: "malformed",
      }),
    );
  }
});

test("addresses of the asked name alone count, each once, with the smallest TTL", () => {
  const answer = parse({
    answer: [
      a("www.example", 1, 90),
      a("evil.example", 66, 1),
      a("WWW.Example".toLowerCase(), 1, 60),
      a("www.example", 2, 600),
      { type: TYPE.AAAA, content: Array<number>(16).fill(9), ttl: 1 },
      { class: 3, content: [1, 2, 3, 4], ttl: 1 },
    ],
  });
  assert.deepEqual(shown(answer), ["198.51.100.1", "198.51.100.2"]);
  assert.equal(answer.ttlSeconds, 60);
});

test("the addresses of a chain are those of its end, whatever the order of the records", () => {
  const records = [
    a("c.example", 3, 50),
    cname("b.example", "c.example", 40),
    a("www.example", 66),
    cname("www.example", "b.example", 70),
    a("b.example", 67),
  ];
  for (const answer of [records, records.toReversed()]) {
    const parsed = parse({ answer });
    assert.deepEqual(
      [parsed.chain, shown(parsed), parsed.ttlSeconds],
      [["b.example", "c.example"], ["198.51.100.3"], 40],
    );
    assert.deepEqual(
      parsed.records.map(({ owner }) => owner),
      ["www.example", "b.example", "c.example"],
    );
  }
});

test("a target that is spelled with pointers and in upper case is the same name", () => {
  // CNAME of `X` and a pointer to `example` in the question; the address's owner is a pointer to that.
  const hex = `${Buffer.from(build({})).toString("hex")} c00c 0005 0001 0000003c 0004 0158c010 c029 0001 0001 0000003c 0004 c6336409`;
  const bytes = Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex")).with(7, 2);
  const parsed = parseUpstream(bytes, bytes.length, askFor("www.example", TYPE.A));
  assert.ok(parsed.ok);
  assert.deepEqual([parsed.answer.chain, shown(parsed.answer)], [["x.example"], ["198.51.100.9"]]);
});

const chainOf = (hops: number): Wire[] =>
  Array.from({ length: hops }, (_, at) =>
    cname(at === 0 ? "www.example" : `h${at}.example`, `h${at + 1}.example`),
  );

test("eight aliases are followed and nine are refused", () => {
  assert.deepEqual(shown(parse({ answer: [...chainOf(8), a("h8.example", 8)] })), ["198.51.100.8"]);
  const { problem, addresses, records, ttlSeconds } = parse({ answer: [...chainOf(9), a("h9.example", 9)] });
  assert.deepEqual(
    { problem, addresses, records, ttlSeconds },
    { problem: "chain-too-long", addresses: [], records: [], ttlSeconds: 0 },
  );
});

test("aliases in a circle are refused", () => {
  for (const answer of [
    [cname("www.example", "www.example")],
    [...chainOf(3), cname("h3.example", "h1.example")],
    [cname("www.example", "b.example"), cname("b.example", "www.example"), a("www.example", 1)],
  ])
    assert.equal(parse({ answer }).problem, "chain-loop");
});

test("who asks for an alias gets it and not its target", () => {
  const { chain, records } = parse({
    type: TYPE.CNAME,
    answer: [cname("www.example", "b.example"), a("b.example", 1)],
  });
  assert.deepEqual([chain, records.map(({ target }) => target)], [[], ["b.example"]]);
});

test("a TTL of 2^31 and more is zero", () => {
  assert.equal(parse({ answer: [a("www.example", 1, 2 ** 31)] }).ttlSeconds, 0);
  assert.equal(parse({ answer: [a("www.example", 1, 2 ** 31 - 1)] }).ttlSeconds, 2 ** 31 - 1);
});

test("an IPv4-mapped address in an AAAA record stays what it is, for the classes to judge", () => {
  const content = [...Array<number>(10).fill(0), 255, 255, 10, 0, 0, 1];
  const { addresses } = parse({
    type: TYPE.AAAA,
    answer: [{ type: TYPE.AAAA, content }, a("www.example", 1)],
  });
  assert.deepEqual(addresses, [{ family: 6, value: 0xffff_0a00_0001n }]);
});

test("of 200 addresses 128 are taken, and signatures no longer hold", () => {
  const answer = parse({ answer: Array.from({ length: 200 }, (_, at) => a("www.example", at)) });
  assert.deepEqual([answer.addresses.length, answer.records.length, answer.complete], [128, 128, false]);
});

describe("how long a denial holds", () => {
  const rows: readonly [why: string, built: Built, seconds: number][] = [
    ["as long as the SOA", { flags: 0x8183, authority: [soa("example", 30, 900)] }, 30],
    ["as the SOA says in its last field", { authority: [soa("example", 900, 40)] }, 40],
    [
      "no longer than the alias before it",
      { answer: [cname("www.example", "b.example", 20)], authority: [soa("example", 900, 40)] },
      20,
    ],
    ["not at all without an SOA", { flags: 0x8183 }, 0],
    ["not at all by the SOA of another zone", { authority: [soa("other", 900, 40)] }, 0],
  ];
  for (const [why, built, seconds] of rows) test(why, () => assert.equal(parse(built).ttlSeconds, seconds));
});

test("of an answer with an error code nothing is read, and of NXDOMAIN the chain alone", () => {
  const answer = [cname("www.example", "b.example"), a("b.example", 1)];
  assert.deepEqual(parse({ flags: 0x8182, answer }).chain, []);
  const { chain, addresses, rcode } = parse({ flags: 0x8183, answer });
  assert.deepEqual(
    { chain, addresses, rcode },
    { chain: ["b.example"], addresses: [], rcode: RCODE.nxdomain },
  );
});

test("the upper bits of the code come from OPT", () => {
  assert.equal(
    parse({ additional: [{ owner: "", type: TYPE.OPT, class: 1232, ttl: 0x0100_0000, content: [] }] }).rcode,
    RCODE.badvers,
  );
});

test("of a truncated answer nothing is read, broken or not", () => {
  const bytes = build({ flags: 0x83a0, answer: [a("www.example", 1)] });
  for (const length of [bytes.length, bytes.length - 3]) {
    const parsed = parseUpstream(bytes, length, askFor("www.example", TYPE.A));
    assert.ok(parsed.ok);
    const { truncated, addresses, authenticData } = parsed.answer;
    assert.deepEqual(
      { truncated, addresses, authenticData },
      { truncated: true, addresses: [], authenticData: false },
    );
  }
});
