/** Hostile bytes in front of the ClientHello reader, with OpenSSL (Node's own TLS server) as the second opinion. */
import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { before, test } from "node:test";
import tls from "node:tls";
import fc from "fast-check";
import { parseHostname } from "../../src/core/net/hostname.ts";
import {
  createHelloReader,
  HELLO_BYTES_MAX,
  type HelloRead,
  readClientHello,
} from "../../src/core/tls/client-hello.ts";
import { hello as firstBytesOf } from "../gate/hello.ts";

const RUNS = Number(process.env["SEAWALL_FUZZ_RUNS"] ?? 400);
const SETTINGS = { numRuns: RUNS, seed: 20_261_103 };
const NAME = "api.example.com";

const HELLOS: Uint8Array[] = [];
before(async () => {
  for (const options of [
    { servername: NAME, ALPNProtocols: ["h2", "http/1.1"] },
    { servername: NAME, maxVersion: "TLSv1.2" },
    { servername: NAME, ecdhCurve: "X25519MLKEM768" },
    {},
  ] as const)
    HELLOS.push(await firstBytesOf(null, options));
});

const often = <Value>(usual: Value, ...others: readonly Value[]): fc.Arbitrary<Value> =>
  fc.oneof(
    { weight: 30, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  );
const rarely = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: value });

/** A hello with changed, added and removed bytes, most often one that a server still reads. */
const damaged = fc
  .record({
    which: fc.nat(3),
    changes: fc.array(fc.tuple(fc.nat(4_096), fc.integer({ min: 0, max: 255 })), { maxLength: 3 }),
    cut: rarely(fc.nat(4_096)),
    added: rarely(fc.uint8Array({ maxLength: 8 })),
  })
  .map(({ which, changes, cut, added }): Uint8Array => {
    const bytes = Uint8Array.from(HELLOS[which] ?? []);
    for (const [at, value] of changes) bytes[at % bytes.length] = value;
    return Buffer.concat([bytes.subarray(0, cut ?? bytes.length), added ?? new Uint8Array(0)]);
  });

/** A vector with its length in front, which is now and then a lie. */
const sized = (bytes: fc.Arbitrary<readonly number[]>): fc.Arbitrary<number[]> =>
  fc.tuple(bytes, often(0, -1, 1, 7)).map(([list, lie]) => {
    const length = Math.max(0, list.length + lie);
    return [length >> 8, length & 255, ...list];
  });
const behind = (
  prefix: fc.Arbitrary<readonly number[]>,
  rest: fc.Arbitrary<readonly number[]>,
): fc.Arbitrary<number[]> => fc.tuple(prefix, rest).map((parts) => parts.flat());

const nameText = fc.constantFrom(NAME, NAME, NAME, "a.b", "A.B.", "1.2.3.4", "a..b", "a\0b");
const entry = behind(often([0], [1]), sized(nameText.map((text) => [...Buffer.from(text, "latin1")])));
const several = (part: fc.Arbitrary<number[]>, constraints: fc.ArrayConstraints): fc.Arbitrary<number[]> =>
  fc.array(part, { ...constraints, size: "max" }).map((parts) => parts.flat());
const oneName = behind(fc.constant([0, 0]), sized(sized(entry)));
const extension = fc.oneof(
  oneName,
  oneName,
  behind(fc.constant([0, 0]), sized(sized(several(entry, { minLength: 1, maxLength: 2 })))),
  behind(fc.constant([0, 16]), sized(often([0, 3, 2, 104, 50], [0, 0], [0, 2, 2, 104]))),
  behind(fc.constant([0xfe, 0x0d]), sized(often([0, 0, 1, 0, 1, 9, 0, 0, 0, 1, 7], [1], []))),
  behind(fc.constantFrom([0x0a, 0x0a], [0, 23], [0x44, 0x69]), sized(fc.constant([]))),
);

/** A small hello for TLS 1.2 whose extensions are right, wrong, repeated, and in any order. */
const assembled = fc
  .tuple(sized(several(extension, { minLength: 1, maxLength: 3 })), rarely(fc.constant([0])))
  .map(([extensions, junk]): Uint8Array => {
    const start = [3, 3, ...Array<number>(32).fill(7), 0, 0, 2, 0xc0, 0x2f, 1, 0];
    const body = [...start, ...extensions, ...(junk ?? [])];
    const message = [1, 0, body.length >> 8, body.length & 255, ...body];
    return Uint8Array.from([22, 3, 1, message.length >> 8, message.length & 255, ...message]);
  });

const anything = fc.oneof(
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  { weight: 4, arbitrary: damaged },
  { weight: 4, arbitrary: assembled },
);

function sound(found: HelloRead): void {
  if (found.kind !== "hello") return;
  const { serverName } = found;
  if (serverName !== null) assert.deepEqual(parseHostname(serverName), { ok: true, name: serverName });
}

test("any bytes give a sound answer, the same in pieces of any size", () => {
  fc.assert(
    fc.property(anything, fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1 }), (bytes, sizes) => {
      const whole = readClientHello(bytes);
      sound(whole);
      const reader = createHelloReader();
      let at = 0;
      let found: HelloRead = { kind: "more" };
      for (let turn = 0; at < bytes.length; turn += 1) {
        const size = sizes[turn % sizes.length] ?? 1;
        const next = reader.push(bytes.subarray(at, at + size));
        if (found.kind !== "more") assert.deepEqual(next, found, "what is known does not change");
        found = next;
        at += size;
      }
      assert.deepEqual(found, whole);
    }),
    SETTINGS,
  );
});

test("a prefix is more, or already the answer of the whole", () => {
  fc.assert(
    fc.property(anything, fc.nat(4_096), (bytes, length) => {
      const early = readClientHello(bytes.subarray(0, length % (bytes.length + 1)));
      if (early.kind !== "more") assert.deepEqual(early, readClientHello(bytes));
    }),
    SETTINGS,
  );
});

test("no answer needs more bytes than the limit", () => {
  const filler = fc.constantFrom<readonly number[]>(
    [22, 3, 1, 0, 1, 1],
    [22, 3, 3, 0x40, 0],
    [22, 3, 1, 0, 5],
  );
  fc.assert(
    fc.property(filler, fc.nat(255), (unit, value) => {
      const bytes = new Uint8Array(HELLO_BYTES_MAX + 1).fill(value);
      for (let at = 0; at < bytes.length; at += unit.length) bytes.set(unit.slice(0, bytes.length - at), at);
      assert.notEqual(readClientHello(bytes).kind, "more");
    }),
    SETTINGS,
  );
});

test("a hello cut into records at any places is the same hello", () => {
  fc.assert(
    fc.property(fc.nat(3), fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }), (which, sizes) => {
      const hello = HELLOS[which] ?? new Uint8Array(0);
      const records: Uint8Array[] = [];
      for (let at = 5, turn = 0; at < hello.length; turn += 1) {
        const part = hello.subarray(at, at + Math.max(4, sizes[turn % sizes.length] ?? 1));
        records.push(Uint8Array.of(22, 3, turn & 255, part.length >> 8, part.length & 255), part);
        at += part.length;
      }
      assert.deepEqual(readClientHello(Buffer.concat(records)), readClientHello(hello));
    }),
    SETTINGS,
  );
});

/** Behind the bytes, so that a server that waits for more of a record or message gives up. */
const FILLER = new Uint8Array(18_000).fill(0xff);

/** The name that OpenSSL reads in the bytes; null: it gave up, or went on, without having read one. */
function nameForOpenSsl(bytes: Uint8Array): Promise<string | null> {
  return new Promise((resolve) => {
    const wire = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
    const end = (name: string | null): void => {
      resolve(name);
      wire.destroy();
    };
    tls
      .createServer({
        SNICallback: (name, done) => {
          end(name);
          done(new Error("that is all"));
        },
      })
      .on("tlsClientError", () => end(null))
      .emit("connection", wire);
    wire.push(bytes);
  });
}

test("OpenSSL never reads another name than we do, and none where we read one", async () => {
  const named = { damaged: 0, assembled: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("damaged", "assembled"),
      damaged,
      assembled,
      async (kind, one, other) => {
        const start = kind === "damaged" ? one : other;
        const bytes = Buffer.concat([start, FILLER]);
        const ours = readClientHello(bytes);
        const theirs = await nameForOpenSsl(bytes);
        if (ours.kind !== "hello" || theirs === null) return;
        const parsed = parseHostname(theirs);
        assert.equal(ours.serverName, parsed.ok ? parsed.name : null);
        if (ours.serverName !== null) named[kind] += 1;
      },
    ),
    SETTINGS,
  );
  for (const [kind, count] of Object.entries(named))
    assert.ok(count > RUNS / 25, `only ${count} of ${RUNS} that were ${kind} had a name for both`);
});
