import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  createRulesDecoder,
  type RulesTransaction,
  TOUCHED_MAX,
} from "../../src/core/event/decode/rules-change.ts";
import {
  attribute,
  concat,
  messageType,
  netfilterMessage,
  text,
  u32,
} from "../../src/edge/kernel/netlink/message.ts";

const RUNS = Number(process.env["SEAWALL_FUZZ_RUNS"] ?? 2_000);
const NEW_ELEMENT = 12;

/** A message as the kernel sends it: what was made or deleted, and first of all in which table. */
function about(message: number, family: number, table: string, port = 77): Uint8Array {
  const attributes = [attribute(1, text(table)), attribute(2, text("its name"))];
  return sent(port, netfilterMessage({ ...HEADER, type: messageType(10, message), family, attributes }));
}

function generation(number: number, pid: number, program: string, port = 77): Uint8Array {
  const attributes = [attribute(1, u32(number)), attribute(2, u32(pid)), attribute(3, text(program))];
  return sent(port, netfilterMessage({ ...HEADER, type: messageType(10, 15), attributes }));
}

const HEADER = { flags: 0, sequence: 0, family: 0, resource: 0 } as const;

function sent(port: number, bytes: Uint8Array): Uint8Array {
  new DataView(bytes.buffer).setUint32(12, port, true);
  return bytes;
}

/** A flush of two tables, and the load of another one with three elements. */
const FLUSH = concat([
  about(8, 2, "filter"),
  about(2, 2, "filter"),
  about(2, 1, "seawall"),
  generation(41, 900, "nft"),
]);
const LOAD = concat([
  about(0, 1, "seawall"),
  ...[1, 2, 3].map(() => about(NEW_ELEMENT, 1, "seawall")),
  generation(42, 901, "nft"),
]);
const REAL = concat([FLUSH, LOAD]);
const WANTED = [
  {
    generation: 41,
    pid: 900,
    port: 77,
    program: "nft",
    untold: 0,
    touched: [
      { family: "ip", table: "filter", what: "rule", action: "deleted", count: 1 },
      { family: "ip", table: "filter", what: "table", action: "deleted", count: 1 },
      { family: "inet", table: "seawall", what: "table", action: "deleted", count: 1 },
    ],
  },
  {
    generation: 42,
    pid: 901,
    port: 77,
    program: "nft",
    untold: 0,
    touched: [
      { family: "inet", table: "seawall", what: "table", action: "new", count: 1 },
      { family: "inet", table: "seawall", what: "element", action: "new", count: 3 },
    ],
  },
];

test("the transactions that the others are made of decode whole", () => {
  assert.deepEqual(decodeAll([REAL]), WANTED);
});

test("the same comes out however the messages are spread over datagrams, in a buffer that is used again", () => {
  const messages: Uint8Array[] = [];
  const view = new DataView(REAL.buffer, REAL.byteOffset);
  for (let at = 0; at < REAL.length; at += view.getUint32(at, true))
    messages.push(REAL.subarray(at, at + view.getUint32(at, true)));
  assert.equal(messages.length, 9);
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }), (cuts) => {
      const datagrams: Uint8Array[][] = [[]];
      for (const [at, message] of messages.entries()) {
        if (cuts[at - 1] === true) datagrams.push([]);
        datagrams.at(-1)?.push(message);
      }
      assert.deepEqual(decodeAll(datagrams.map(concat)), WANTED);
    }),
  );
});

test("what another sender did before the kernel dropped the end of it is not told as this one's", () => {
  const cut = [about(2, 1, "seawall", 78), LOAD];
  assert.deepEqual(decodeAll(cut), WANTED.slice(1));
  assert.deepEqual(decodeAll([about(2, 1, "seawall", 78), generation(42, 901, "nft")])[0]?.touched, []);
});

test("messages between those of another table are added to their own line", () => {
  const messages = Array.from({ length: 1_000 }, (_, at) => about(NEW_ELEMENT, 2, `t${at % 3}`));
  const [transaction] = decodeAll([concat([...messages, generation(1, 1, "nft")])]);
  assert.deepEqual(
    transaction?.touched.map(({ table, count }) => [table, count]),
    [
      ["t0", 334],
      ["t1", 333],
      ["t2", 333],
    ],
  );
});

test("a table whose name begins like another one's has a line of its own", () => {
  const messages = ["ab", "a", "abc", "ab", "a"].map((table) => about(0, 2, table));
  const [transaction] = decodeAll([concat([...messages, generation(1, 1, "nft")])]);
  assert.deepEqual(
    transaction?.touched.map(({ table, count }) => `${table} ${count}`),
    ["ab 2", "a 2", "abc 1"],
  );
});

test("names are plain and short, and each message is told or counted", () => {
  const names = fc.array(fc.string({ unit: "binary", maxLength: 300 }), { maxLength: 200 });
  fc.assert(
    fc.property(names, fc.string({ unit: "binary", maxLength: 40 }), (tables, program) => {
      const messages = tables.map((table) => about(0, 2, table));
      const [transaction] = decodeAll([concat([...messages, generation(1, 1, program)])]);
      assert.ok(transaction !== undefined);
      checkTransaction(transaction);
      const told = transaction.touched.reduce((sum, { count }) => sum + count, 0);
      assert.equal(told + transaction.untold, tables.length);
    }),
    { numRuns: Math.min(RUNS, 300) },
  );
});

test("a transaction over more tables than are told keeps the first ones and counts the others", () => {
  const messages = Array.from({ length: TOUCHED_MAX + 36 }, (_, at) => about(0, 2, `t${at}`));
  const [transaction] = decodeAll([concat([...messages, about(0, 2, "t0"), generation(1, 1, "nft")])]);
  assert.equal(transaction?.touched.length, TOUCHED_MAX);
  assert.deepEqual([transaction?.touched[0]?.count, transaction?.untold], [2, 36]);
});

test("any bytes decode to sound transactions, at most one for each message header", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 1_024 }), { maxLength: 3 }), (datagrams) =>
      check(datagrams),
    ),
    { numRuns: RUNS },
  );
});

test("real datagrams with changed bytes and cut ends decode to sound transactions", () => {
  const damage = fc.array(fc.tuple(fc.nat(REAL.length - 1), fc.integer({ min: 0, max: 255 })), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(damage, fc.nat(REAL.length), (changes, length) => {
      const bytes = Uint8Array.from(REAL);
      for (const [at, value] of changes) bytes[at] = value;
      check([bytes.subarray(0, length), bytes]);
    }),
    { numRuns: RUNS },
  );
});

test("a datagram that is cut off gives the transactions that are whole", () => {
  for (let length = 0; length <= REAL.length; length += 1) {
    const cut = decodeAll([REAL.subarray(0, length)]);
    assert.deepEqual(cut, WANTED.slice(0, cut.length));
  }
  assert.equal(decodeAll([REAL.subarray(0, FLUSH.length)]).length, 1);
});

test("a length that claims more than there is ends at the buffer", () => {
  const told: RulesTransaction[] = [];
  createRulesDecoder()(REAL, REAL.length + 100_000, (transaction) => told.push(transaction));
  assert.deepEqual(told, WANTED);
});

/** As the socket's reader does it: every datagram in the same buffer, a Buffer of Node. */
function decodeAll(datagrams: readonly Uint8Array[]): RulesTransaction[] {
  const told: RulesTransaction[] = [];
  const decode = createRulesDecoder();
  const buffer = Buffer.alloc(Math.max(0, ...datagrams.map(({ length }) => length)) + 64, 0xee);
  for (const datagram of datagrams) {
    buffer.fill(0xee);
    buffer.set(datagram);
    decode(buffer, datagram.length, (transaction) => told.push(transaction));
  }
  return told;
}

function check(datagrams: readonly Uint8Array[]): void {
  const told = decodeAll(datagrams);
  const bytes = datagrams.reduce((sum, { length }) => sum + length, 0);
  assert.ok(told.length <= bytes / 16);
  for (const transaction of told) checkTransaction(transaction);
}

function checkTransaction({
  generation: number,
  pid,
  port,
  program,
  touched,
  untold,
}: RulesTransaction): void {
  assert.match(program, /^[!-~]{0,64}$/);
  for (const value of [number, pid, port])
    assert.ok(Number.isInteger(value) && value >= 0 && value < 2 ** 32);
  assert.ok(touched.length <= TOUCHED_MAX && untold >= 0);
  for (const { table, count } of touched) {
    assert.match(table, /^[!-~]{0,64}$/);
    assert.ok(count > 0);
  }
}
