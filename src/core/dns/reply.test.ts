import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Ip } from "../net/ip.ts";
import { CLASS_IN, parseQuery, type Query, RCODE, TYPE } from "./message.ts";
import { encodeReply, type Reply, replyLimitBytes } from "./reply.ts";
import { encodeQuestion, parseUpstream, type UpstreamAnswer } from "./upstream.ts";

const HEAD = "beef 0110 0001 0000 0000 000";
const QUESTION = "03575757 076578616d706c65 00";

/** `WWW.example`, RD and CD set, with an OPT of that many bytes or without one. */
function ask(type: number = TYPE.A, udpSize: number | null = 1232): Query {
  const opt = udpSize === null ? "" : `00 0029 ${udpSize.toString(16).padStart(4, "0")} 00008000 0000`;
  const hex = `${HEAD}${opt === "" ? 0 : 1} ${QUESTION} ${type.toString(16).padStart(4, "0")} 0001 ${opt}`;
  const parsed = parseQuery(Buffer.from(hex.replaceAll(" ", ""), "hex"));
  assert.ok(parsed.ok);
  return parsed.query;
}

function hexOf(query: Query, reply: Reply, limit = 512): string {
  return Buffer.from(encodeReply(query, reply, limit)).toString("hex");
}

const spaceless = (hex: string): string => hex.replaceAll(" ", "");
const addresses = (fields: Partial<Extract<Reply, { kind: "addresses" }>>): Reply => ({
  kind: "addresses",
  chain: [],
  addresses: [],
  ttlSeconds: 60,
  authenticData: false,
  ede: null,
  ...fields,
});
const ONE: Ip = { family: 4, value: 0xc633_6401 };
const SIX: Ip = { family: 6, value: 0x2001_0db8_8000_0000_0000_0000_ffff_0001n };

describe("the bytes of a reply are right for", () => {
  const OPT = "00 0029 04d0 00008000";
  const rows: readonly [why: string, query: Query, reply: Reply, hex: string][] = [
    [
      "an address, the question in its own case",
      ask(TYPE.A, null),
      addresses({ addresses: [ONE] }),
      `beef 8190 0001 0001 0000 0000 ${QUESTION} 0001 0001 c00c 0001 0001 0000003c 0004 c6336401`,
    ],
    [
      "an IPv6 address with OPT and AD",
      ask(TYPE.AAAA),
      addresses({ addresses: [ONE, SIX], authenticData: true }),
      `beef 81b0 0001 0001 0000 0001 ${QUESTION} 001c 0001 c00c 001c 0001 0000003c 0010 20010db88000000000000000ffff0001 ${OPT} 0000`,
    ],
    [
      "an alias below a name of the question",
      ask(TYPE.A, null),
      addresses({ chain: ["cdn.example"], addresses: [ONE], ttlSeconds: 0.9 }),
      `beef 8190 0001 0002 0000 0000 ${QUESTION} 0001 0001 c00c 0005 0001 00000000 0006 0363646e c010 c029 0001 0001 00000000 0004 c6336401`,
    ],
    [
      "NXDOMAIN with its SOA, five seconds at most, and the reason",
      ask(),
      { kind: "negative", rcode: RCODE.nxdomain, soaSeconds: 900, ede: { code: 15, text: "no" } },
      `beef 8193 0001 0000 0001 0001 ${QUESTION} 0001 0001 c00c 0006 0001 00000005 0016 00 00 00000001 00000005 00000005 00000005 00000005 ${OPT} 0008 000f 0004 000f 6e6f`,
    ],
    [
      "a name without the type, without EDNS, where no reason can stand",
      ask(TYPE.A, null),
      { kind: "negative", rcode: RCODE.noerror, soaSeconds: 1, ede: { code: 15, text: "no" } },
      `beef 8190 0001 0000 0001 0000 ${QUESTION} 0001 0001 c00c 0006 0001 00000001 0016 00 00 00000001 00000001 00000001 00000001 00000001`,
    ],
    [
      "nothing",
      ask(TYPE.HTTPS, null),
      { kind: "empty", ede: null },
      `beef 8190 0001 0000 0000 0000 ${QUESTION} 0041 0001`,
    ],
    [
      "a failure with a code that EDNS carries",
      ask(),
      { kind: "failure", rcode: RCODE.badvers, ede: null },
      `beef 8190 0001 0000 0000 0001 ${QUESTION} 0001 0001 00 0029 04d0 01008000 0000`,
    ],
    [
      "a failure with a code that cannot be said without EDNS",
      ask(TYPE.A, null),
      { kind: "failure", rcode: RCODE.badvers, ede: null },
      `beef 8192 0001 0000 0000 0000 ${QUESTION} 0001 0001`,
    ],
  ];
  for (const [why, query, reply, hex] of rows)
    test(why, () => assert.equal(hexOf(query, reply), spaceless(hex)));
});

test("the limit of a reply follows what the client can take", () => {
  const rows: readonly [udpSize: number | null, udp: number][] = [
    [null, 512],
    [0, 512],
    [512, 512],
    [900, 900],
    [1232, 1232],
    [65_535, 1232],
  ];
  for (const [udpSize, udp] of rows) {
    assert.equal(replyLimitBytes(ask(TYPE.A, udpSize), "udp"), udp);
    assert.equal(replyLimitBytes(ask(TYPE.A, udpSize), "tcp"), 65_535);
  }
});

test("a reply as long as the limit is whole; one address more is TC, the question and OPT", () => {
  const many = (count: number): Reply =>
    addresses({ addresses: Array.from({ length: count }, (_, at): Ip => ({ family: 4, value: at })) });
  // 12 + 17 + 11 bytes before and behind, 16 an address: 29 of them are 504.
  const fits = encodeReply(ask(), many(29), 512);
  assert.deepEqual([fits.length, fits[2], fits[7]], [504, 0x81, 29]);
  const over = spaceless(`beef 8390 0001 0000 0000 0001 ${QUESTION} 0001 0001 00 0029 04d0 00008000 0000`);
  assert.equal(hexOf(ask(), many(30)), over);
  assert.equal(hexOf(ask(), many(30), 100), over);
  assert.equal(encodeReply(ask(), many(4000), 65_535)[7], 4000 & 255);
  assert.equal(hexOf(ask(), many(5000), 65_535), over);
});

test("512 bytes fit into 512 and 513 do not", () => {
  const reply = addresses({ addresses: Array.from({ length: 30 }, () => ONE) });
  for (const [name, length] of [
    ["aaaaaa.example", 512],
    ["aaaaaaa.example", 12 + 17 + 4],
  ] as const) {
    const parsed = parseQuery(
      encodeQuestion(1, name, TYPE.A, { dnssecOk: false, checkingDisabled: false, udpSize: 512 }),
    );
    assert.ok(parsed.ok);
    assert.equal(encodeReply({ ...parsed.query, edns: null }, reply, 512).length, length);
  }
});

test("the text of a reason is cut between characters to what fits", () => {
  for (const [text, unit] of [
    ["x", 1],
    ["ü", 2],
    ["警", 3],
    ["🌊", 4],
  ] as const) {
    const reply = encodeReply(ask(), { kind: "empty", ede: { code: 15, text: text.repeat(1000) } }, 512);
    assert.ok(reply.length <= 512 && reply.length > 512 - unit, `${reply.length}`);
    const shown = new TextDecoder("utf-8", { fatal: true }).decode(reply.subarray(12 + 17 + 11 + 6));
    assert.equal(shown, text.repeat(shown.length / text.length));
  }
});

test("no reply to the longest question is over 512 bytes", () => {
  const long = ["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(61)].join(".");
  const parsed = parseQuery(
    encodeQuestion(1, long, TYPE.A, { dnssecOk: true, checkingDisabled: false, udpSize: 512 }),
  );
  assert.ok(parsed.ok);
  const ede = { code: 15, text: "y".repeat(600) };
  for (const reply of [
    { kind: "negative", rcode: RCODE.nxdomain, soaSeconds: 5, ede },
    { kind: "failure", rcode: RCODE.servfail, ede },
    addresses({ chain: [`x.${"e".repeat(63)}`], addresses: Array.from({ length: 30 }, () => ONE), ede }),
  ] satisfies Reply[]) {
    assert.ok(encodeReply(parsed.query, reply, 512).length <= 512);
  }
});

const label = fc.stringMatching(/^[a-z0-9_]{1,20}$/);
const hostname = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join("."));

test("what is written is read back", () => {
  const targets = fc.uniqueArray(hostname, { maxLength: 8 });
  const ips = fc.uniqueArray(fc.nat(0xffff_ffff), { maxLength: 20 });
  fc.assert(
    fc.property(
      hostname,
      targets,
      ips,
      fc.nat(0x7fff_ffff),
      fc.uint8Array({ maxLength: 12 }),
      (name, chain, values, ttlSeconds, caseBits) => {
        fc.pre(!chain.includes(name));
        const asked = encodeQuestion(9, name, TYPE.A, {
          dnssecOk: false,
          checkingDisabled: false,
          udpSize: 1232,
          caseBits,
        });
        const parsed = parseQuery(asked);
        assert.ok(parsed.ok && parsed.query.question.text === name);
        const reply = addresses({
          chain,
          addresses: values.map((value) => ({ family: 4, value })),
          ttlSeconds,
        });
        const bytes = encodeReply(parsed.query, reply, 65_535);
        const answer = readBack(parsed.query, bytes);
        assert.deepEqual(
          answer.addresses,
          values.map((value) => ({ family: 4, value })),
        );
        assert.deepEqual([answer.chain, answer.rcode], [chain, 0]);
        if (values.length > 0) assert.equal(answer.ttlSeconds, ttlSeconds);
      },
    ),
  );
});

function readBack({ id, question }: Query, bytes: Uint8Array): UpstreamAnswer {
  assert.equal(question.class, CLASS_IN);
  const parsed = parseUpstream(bytes, bytes.length, { id, question: question.wire, type: question.type });
  assert.ok(parsed.ok);
  return parsed.answer;
}
