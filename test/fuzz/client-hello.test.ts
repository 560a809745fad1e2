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

const RUNS = Number(process.env["SEAWALL_FUZZ_RUNS"] ?? 400);
const SETTINGS = { numRuns: RUNS, seed: 20_261_103 };
const NAME = "api.example.com";

/** What Node's client writes first, a hello in one record; no network is used. */
function captured(options: tls.ConnectionOptions): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const wire = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        done();
        resolve(Uint8Array.from(chunk));
        wire.destroy();
      },
    });
    tls.connect({ socket: wire, ...options }).on("error", reject);
  });
}

const HELLOS: Uint8Array[] = [];
before(async () => {
  for (const options of [
    { servername: NAME, ALPNProtocols: ["h2", "http/1.1"] },
    { servername: NAME, maxVersion: "TLSv1.2" },
    { servername: NAME, ecdhCurve: "X25519MLKEM768" },
    {},
  ] as const)
    HELLOS.push(await captured(options));
});

/** A hello with changed, added and removed bytes, most often one that a server still reads. */
const damaged = fc
  .record({
    which: fc.nat(3),
    changes: fc.array(fc.tuple(fc.nat(4_096), fc.integer({ min: 0, max: 255 })), { maxLength: 3 }),
    cut: fc.option(fc.nat(4_096), { freq: 6 }),
    added: fc.uint8Array({ maxLength: 8 }),
  })
  .map(({ which, changes, cut, added }): Uint8Array => {
    const bytes = Uint8Array.from(HELLOS[which] ?? []);
    for (const [at, value] of changes) bytes[at % bytes.length] = value;
    return Buffer.concat([bytes.subarray(0, cut ?? bytes.length), added]);
  });

/** Bytes that were made of the right parts, in any order and with any lies. */
const assembled = fc
  .array(
    fc.oneof(
      fc.constantFrom<number[]>([0, 0], [0, 16], [0xfe, 0x0d], [0, 9], [0, 4], [0, 6], [0], [1], [255]),
      fc.constantFrom(NAME, "a.b", "1.2.3.4", "h2").map((text) => [...Buffer.from(text)]),
      fc.uint8Array({ maxLength: 6 }).map((bytes) => [...bytes]),
    ),
    { maxLength: 12 },
  )
  .map((parts): Uint8Array => {
    const list = parts.flat();
    const body = [3, 3, ...Array<number>(32).fill(7), 0, 0, 2, 0x13, 1, 1, 0, 0, list.length & 255, ...list];
    return Uint8Array.from([22, 3, 1, 0, body.length + 4, 1, 0, 0, body.length, ...body]);
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
  let named = 0;
  await fc.assert(
    fc.asyncProperty(fc.oneof(damaged, assembled), async (start) => {
      const bytes = Buffer.concat([start, FILLER]);
      const ours = readClientHello(bytes);
      const theirs = await nameForOpenSsl(bytes);
      if (ours.kind !== "hello" || theirs === null) return;
      const parsed = parseHostname(theirs);
      assert.equal(ours.serverName, parsed.ok ? parsed.name : null);
      named += 1;
    }),
    SETTINGS,
  );
  assert.ok(named > RUNS / 20, `only ${named} of ${RUNS} had a name for both`);
});
