import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseQuery, type Query, type QueryProblem, RCODE, TYPE } from "./message.ts";

const HEAD = "beef 0100 0001 0000 0000 0000";
const EXAMPLE_A = "07 4578616d706c65 03 436f6d 00 0001 0001";
/** OPT of 1232 bytes, version 0, without options. */
const OPT = "00 0029 04d0 00000000 0000";
const withOpt = (opt: string, count = "0001"): string =>
  `beef 0100 0001 0000 0000 ${count} ${EXAMPLE_A} ${opt}`;

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
}

function hexOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString("hex");
}

function read(hex: string): Query {
  const parsed = parseQuery(bytesOf(hex));
  assert.ok(parsed.ok, hex);
  return parsed.query;
}

test("a query keeps its own spelling beside the one that is compared", () => {
  const query = read(`${HEAD} ${EXAMPLE_A}`);
  assert.deepEqual(query, {
    id: 0xbeef,
    recursionDesired: true,
    checkingDisabled: false,
    authenticData: false,
    question: {
      text: "example.com",
      wire: bytesOf("07 4578616d706c65 03 436f6d 00"),
      type: TYPE.A,
      class: 1,
    },
    edns: null,
  });
});

test("what a query holds does not change with the buffer that it came in", () => {
  const bytes = bytesOf(`${HEAD} ${EXAMPLE_A}`);
  const parsed = parseQuery(bytes);
  bytes.fill(0);
  assert.ok(parsed.ok);
  assert.equal(hexOf(parsed.query.question.wire), "074578616d706c6503436f6d00");
});

test("bytes behind the length of the datagram are not there", () => {
  const bytes = bytesOf(`${HEAD} ${EXAMPLE_A} ffffffff`);
  assert.ok(parseQuery(bytes, bytes.length - 4).ok);
  assert.ok(!parseQuery(bytes).ok);
  assert.ok(!parseQuery(bytes, bytes.length - 5).ok);
});

test("flags and EDNS of a query are read", () => {
  const query = read(
    `0001 0030 0001 0000 0000 0001 00 0001 0001 00 0029 1000 00008000 000c 000a0008 0011223344556677`,
  );
  const { checkingDisabled, authenticData, recursionDesired, edns } = query;
  assert.deepEqual([checkingDisabled, authenticData, recursionDesired], [true, true, false]);
  assert.deepEqual(edns, { udpSize: 4096, dnssecOk: true, version: 0 });
});

const LABEL_63 = `3f ${"61".repeat(63)}`;
/** Labels and their lengths: 254 bytes, and with the root 255. */
const LONGEST = `${LABEL_63} ${LABEL_63} ${LABEL_63} 3d ${"61".repeat(61)}`;

describe("a name in a question", () => {
  const names: readonly [hex: string, text: string, why: string][] = [
    ["00", "", "the root"],
    ["03 576557 00", "wew", "upper case"],
    ["01 2a 00", "\\042", "an asterisk"],
    ["03 612e62 00", "a\\046b", "a dot inside a label, which is no boundary"],
    ["04 5c303436 00", "\\092046", "a backslash, which is not taken for an escape"],
    ["02 00ff 00", "\\000\\255", "bytes outside ASCII"],
    ["06 5f 6874747073 00", "_https", "an underscore"],
    ["02 c3a9 00", "\\195\\169", "UTF-8"],
    [`${LABEL_63} 00`, "a".repeat(63), "a label of 63 bytes"],
    [`${LONGEST} 00`, `${`${"a".repeat(63)}.`.repeat(3)}${"a".repeat(61)}`, "255 bytes in all"],
  ];
  for (const [hex, text, why] of names) {
    test(`is shown with ${why}`, () => {
      assert.equal(read(`${HEAD} ${hex} 0001 0001`).question.text, text);
    });
  }
});

const FORMERR_WITHOUT_QUESTION = "beef81810000000000000000";
const FORMERR_WITH_QUESTION = `beef81810001000000000000${EXAMPLE_A.replaceAll(" ", "")}`;

describe("refused with", () => {
  const rows: readonly [why: string, hex: string, problem: QueryProblem, reply: string | null][] = [
    ["silence: nothing at all", "", "short", null],
    ["silence: half a header", "beef 0100 0001 00", "short", null],
    [
      "silence: a response, or two servers would talk for ever",
      `beef 8100 0001 0000 0000 0000 ${EXAMPLE_A}`,
      "response",
      null,
    ],
    ["NOTIMP: STATUS", `beef 1100 0001 0000 0000 0000 ${EXAMPLE_A}`, "opcode", "beef91840000000000000000"],
    [
      "NOTIMP: an inverse query",
      `beef 0900 0001 0000 0000 0000 ${EXAMPLE_A}`,
      "opcode",
      "beef89840000000000000000",
    ],
    ["NOTIMP: UPDATE", `beef 2800 0001 0000 0000 0000 ${EXAMPLE_A}`, "opcode", "beefa8840000000000000000"],
    ["FORMERR: no question", "beef 0100 0000 0000 0000 0000", "counts", FORMERR_WITHOUT_QUESTION],
    [
      "FORMERR: two questions",
      `beef 0100 0002 0000 0000 0000 ${EXAMPLE_A} ${EXAMPLE_A}`,
      "counts",
      FORMERR_WITHOUT_QUESTION,
    ],
    [
      "FORMERR: an answer in a query",
      `beef 0100 0001 0001 0000 0000 ${EXAMPLE_A}`,
      "counts",
      FORMERR_WITHOUT_QUESTION,
    ],
    [
      "FORMERR: authority in a query",
      `beef 0100 0001 0000 0001 0000 ${EXAMPLE_A}`,
      "counts",
      FORMERR_WITHOUT_QUESTION,
    ],
    ["FORMERR: a header alone", HEAD, "question", FORMERR_WITHOUT_QUESTION],
    ["FORMERR: a cut name", `${HEAD} 07 4578616d`, "question", FORMERR_WITHOUT_QUESTION],
    ["FORMERR: a name without its end", `${HEAD} 01 61`, "question", FORMERR_WITHOUT_QUESTION],
    ["FORMERR: a cut type", `${HEAD} 01 61 00 0001`, "question", FORMERR_WITHOUT_QUESTION],
    [
      "FORMERR: a label of 64 bytes",
      `${HEAD} 40 ${"61".repeat(64)} 00 0001 0001`,
      "question",
      FORMERR_WITHOUT_QUESTION,
    ],
    [
      "FORMERR: a name of 256 bytes",
      `${HEAD} ${LONGEST.replace("3d 61", "3e 6161")} 00 0001 0001`,
      "question",
      FORMERR_WITHOUT_QUESTION,
    ],
    ["FORMERR: a pointer as the question", `${HEAD} c00c 0001 0001`, "question", FORMERR_WITHOUT_QUESTION],
    [
      "FORMERR: a pointer that ends the question",
      `${HEAD} 01 61 c00c 0001 0001`,
      "question",
      FORMERR_WITHOUT_QUESTION,
    ],
    ["FORMERR: an extended label type", `${HEAD} 41 ff 00 0001 0001`, "question", FORMERR_WITHOUT_QUESTION],
    ["FORMERR: bytes behind the question", `${HEAD} ${EXAMPLE_A} 00`, "additional", FORMERR_WITH_QUESTION],
    ["FORMERR: bytes behind OPT", withOpt(`${OPT} 00`), "additional", FORMERR_WITH_QUESTION],
    ["FORMERR: a second OPT", withOpt(`${OPT} ${OPT}`, "0002"), "additional", FORMERR_WITH_QUESTION],
    ["FORMERR: an OPT that is counted and missing", withOpt(""), "additional", FORMERR_WITH_QUESTION],
    [
      "FORMERR: an OPT of a name",
      withOpt("0161 00 0029 04d0 00000000 0000"),
      "additional",
      FORMERR_WITH_QUESTION,
    ],
    [
      "FORMERR: an address in place of OPT",
      withOpt("00 0001 0001 00000000 0004 7f000001"),
      "additional",
      FORMERR_WITH_QUESTION,
    ],
    [
      "FORMERR: an option longer than OPT",
      withOpt("00 0029 04d0 00000000 0005 000a 0008 00"),
      "additional",
      FORMERR_WITH_QUESTION,
    ],
    [
      "FORMERR: half an option",
      withOpt("00 0029 04d0 00000000 0003 000a 00"),
      "additional",
      FORMERR_WITH_QUESTION,
    ],
    [
      "BADVERS: EDNS version 1",
      withOpt("00 0029 04d0 00010000 0000"),
      "version",
      `beef81800001000000000001${EXAMPLE_A.replaceAll(" ", "")}00002904d0010000000000`,
    ],
  ];
  for (const [why, hex, problem, reply] of rows) {
    test(why, () => {
      const parsed = parseQuery(bytesOf(hex));
      assert.ok(!parsed.ok);
      assert.equal(parsed.problem, problem);
      assert.equal(hexOf(parsed.reply), reply);
    });
  }
});

test("the code of every refusal fits its name", () => {
  assert.deepEqual([RCODE.formerr, RCODE.notimp, RCODE.badvers & 15, RCODE.badvers >>> 4], [1, 4, 0, 1]);
});

test("every cut of a query is refused, and every reply to one is a response to the same id", () => {
  const whole = bytesOf(withOpt("00 0029 04d0 00008000 000c 000a0008 0011223344556677"));
  assert.ok(parseQuery(whole).ok);
  for (let length = 0; length < whole.length; length += 1) {
    const parsed = parseQuery(whole, length);
    assert.ok(!parsed.ok, `${length} bytes`);
    assert.equal(parsed.reply === null, length < 12);
    if (parsed.reply !== null) assert.equal(hexOf(parsed.reply)?.slice(0, 5), "beef8");
  }
});

test("a question of any bytes comes back as it was asked", () => {
  const label = fc.uint8Array({ minLength: 1, maxLength: 15 });
  fc.assert(
    fc.property(
      fc.array(label, { maxLength: 15 }),
      fc.nat(65_535),
      fc.nat(65_535),
      (labels, type, class_) => {
        const wire = [...labels.flatMap((bytes) => [bytes.length, ...bytes]), 0];
        const words = [type >>> 8, type & 255, class_ >>> 8, class_ & 255];
        const parsed = parseQuery(Uint8Array.from([...bytesOf(HEAD), ...wire, ...words]));
        assert.ok(parsed.ok);
        assert.deepEqual([...parsed.query.question.wire], wire);
        assert.deepEqual([parsed.query.question.type, parsed.query.question.class], [type, class_]);
      },
    ),
  );
});
