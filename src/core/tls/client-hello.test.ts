import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { describe, test } from "node:test";
import tls from "node:tls";
import { hello as firstBytesOf } from "../../../test/gate/hello.ts";
import {
  alertRecord,
  createHelloReader,
  HELLO_BYTES_MAX,
  type HelloRead,
  looksLikeTls,
  readClientHello,
  TLS_ALERT,
} from "./client-hello.ts";

type Bytes = readonly number[];

const ascii = (text: string): Bytes => [...Buffer.from(text, "latin1")];
const u16 = (value: number): Bytes => [value >> 8, value & 255];
/** A vector with its length in front (RFC 8446 3.4). */
const sized8 = (bytes: Bytes): Bytes => [bytes.length, ...bytes];
const sized16 = (bytes: Bytes): Bytes => [...u16(bytes.length), ...bytes];
const extension = (type: number, body: Bytes): Bytes => [...u16(type), ...sized16(body)];
const nameEntry = (name: string, type = 0): Bytes => [type, ...sized16(ascii(name))];
const serverName = (...entries: readonly Bytes[]): Bytes => extension(0, sized16(entries.flat()));
const sni = (name: string): Bytes => serverName(nameEntry(name));
const alpn = (...names: readonly string[]): Bytes =>
  extension(16, sized16(names.flatMap((name) => sized8(ascii(name)))));
const ECH_OUTER = extension(0xfe0d, [0, 0, 1, 0, 1, 9, ...sized16([1, 2, 3]), ...sized16([4, 5])]);

const RANDOM = Array.from({ length: 32 }, (_, at) => at);
const VERSION: Bytes = [3, 3, ...RANDOM];
const REST: Bytes = [...sized16([0x13, 0x01]), ...sized8([0])];
/** A hello as far as its extensions. */
const START: Bytes = [...VERSION, ...sized8([]), ...REST];

const message = (body: Bytes, type = 1): Bytes => [type, 0, ...sized16(body)];
const record = (fragment: Bytes, type = 22, minor = 1): Bytes => [type, 3, minor, ...sized16(fragment)];
/** The body of a ClientHello with these extensions, after START. */
const withExtensions = (...extensions: readonly Bytes[]): Bytes => [...START, ...sized16(extensions.flat())];
const hello = (...extensions: readonly Bytes[]): Bytes => record(message(withExtensions(...extensions)));
const read = (bytes: Bytes): HelloRead => readClientHello(Uint8Array.from(bytes));

function show(found: HelloRead): string {
  switch (found.kind) {
    case "more":
      return "more";
    case "refused":
      return found.problem;
    case "hello":
      return [found.serverName ?? "no name", ...found.alpn, ...(found.hasEch ? ["ech"] : [])].join(" ");
  }
}

const GREASE = extension(0x0a0a, []);
const GREASE_LAST = extension(0xfafa, [0]);
const LONG_LABEL = "a".repeat(63);

const ROWS: readonly (readonly [sentence: string, bytes: Bytes, expected: string])[] = [
  ["names a server", hello(sni("api.example.com")), "api.example.com"],
  ["writes a name in capitals", hello(sni("API.Example.COM")), "api.example.com"],
  ["ends its name in one dot", hello(sni("example.com.")), "example.com"],
  ["ends its name in two dots", hello(sni("example.com..")), "invalid-name"],
  ["has an empty name", hello(sni("")), "invalid-name"],
  ["has a dot for a name", hello(sni(".")), "invalid-name"],
  ["hides a NUL in its name", hello(sni("evil.test\0.example.com")), "invalid-name"],
  ["hides a line end in its name", hello(sni("example.com\r\nevil.test")), "invalid-name"],
  ["names an IPv4 address", hello(sni("192.0.2.1")), "invalid-name"],
  ["names an address in one number", hello(sni("2130706433")), "invalid-name"],
  ["names an IPv6 address", hello(sni("2001:db8::1")), "invalid-name"],
  ["names an IPv6 address in brackets", hello(sni("[2001:db8::1]")), "invalid-name"],
  ["names a host and port", hello(sni("example.com:443")), "invalid-name"],
  ["names a wildcard", hello(sni("*.example.com")), "invalid-name"],
  ["has a name of bytes above 127", hello(sni("ex\xe4mple.com")), "invalid-name"],
  ["has a label of 64 bytes", hello(sni(`${LONG_LABEL}a.com`)), "invalid-name"],
  ["has a name of 4 KB", hello(sni(`${LONG_LABEL}.`.repeat(64))), "invalid-name"],
  ["has the extension twice", hello(sni("a.example.com"), GREASE, sni("b.example.com")), "duplicate-name"],
  ["has the same extension twice", hello(sni("a.example.com"), sni("a.example.com")), "duplicate-name"],
  [
    "has two host names in one list",
    hello(serverName(nameEntry("a.example.com"), nameEntry("b.example.com"))),
    "duplicate-name",
  ],
  ["has a name of an unknown type", hello(serverName(nameEntry("a.example.com", 1))), "invalid-name"],
  [
    "has a name of an unknown type in front",
    hello(serverName(nameEntry("evil.test", 7), nameEntry("a.example.com"))),
    "invalid-name",
  ],
  ["has an empty list of names", hello(serverName()), "malformed"],
  ["has an empty name extension", hello(extension(0, [])), "malformed"],
  ["has a list longer than its extension", hello(extension(0, [0, 20, ...nameEntry("a.b")])), "malformed"],
  ["has a list shorter than its extension", hello(extension(0, [0, 6, ...nameEntry("a.bc")])), "malformed"],
  ["has a name longer than its list", hello(extension(0, sized16([0, 0, 9, 97, 98]))), "malformed"],
  ["ends its list inside an entry", hello(extension(0, sized16([...nameEntry("a.bc"), 0, 0]))), "malformed"],
  ["names no server", hello(GREASE), "no name"],
  ["has no extensions at all", record(message(START)), "no name"],
  ["has an empty list of extensions", hello(), "no name"],
  [
    "has meaningless extensions around (GREASE)",
    hello(GREASE, sni("a.example.com"), GREASE_LAST),
    "a.example.com",
  ],
  ["has another extension twice", hello(GREASE, sni("a.example.com"), GREASE), "malformed"],
  ["offers protocols", hello(sni("a.example.com"), alpn("h2", "http/1.1")), "a.example.com h2 http/1.1"],
  ["offers no protocol in its list", hello(alpn()), "malformed"],
  ["offers an empty protocol", hello(alpn("")), "malformed"],
  ["has a protocol list that lies", hello(extension(16, [0, 4, 2, 104, 50])), "malformed"],
  ["has a protocol longer than its list", hello(extension(16, sized16([3, 104, 50]))), "malformed"],
  ["has encrypted another hello inside", hello(sni("outer.example.com"), ECH_OUTER), "outer.example.com ech"],
  ["says to be an inner hello", hello(sni("a.example.com"), extension(0xfe0d, [1])), "a.example.com ech"],
  ["has encryption of an unknown kind", hello(extension(0xfe0d, [2])), "malformed"],
  ["has an empty encryption extension", hello(extension(0xfe0d, [])), "malformed"],
  [
    "is as large as with a post-quantum key",
    hello(extension(51, ascii("k".repeat(1_900))), sni("a.example.com")),
    "a.example.com",
  ],
  [
    "has 12 KB before its name",
    hello(extension(21, ascii("\0".repeat(12_000))), sni("a.example.com")),
    "a.example.com",
  ],
  [
    "claims SSL 3.0 in its record",
    record(message(withExtensions(sni("a.example.com"))), 22, 0),
    "a.example.com",
  ],
  [
    "claims an unknown TLS in its record",
    record(message(withExtensions(sni("a.example.com"))), 22, 255),
    "a.example.com",
  ],
  ["has a version of 2.0 inside", record(message([2, 0, ...START.slice(2)])), "malformed"],
  [
    "has a session id of 32 bytes",
    record(message([...VERSION, ...sized8(RANDOM), ...REST, ...sized16(sni("a.example.com"))])),
    "a.example.com",
  ],
  [
    "has a session id of 33 bytes",
    record(message([...VERSION, ...sized8([...RANDOM, 0]), ...REST, ...sized16(sni("a.example.com"))])),
    "malformed",
  ],
  ["has a session id beyond its end", record(message([3, 3, ...RANDOM, 9, 1])), "malformed"],
  ["has no cipher suites", record(message([3, 3, ...RANDOM, 0, 0, 0, 1, 0])), "malformed"],
  ["has half a cipher suite", record(message([3, 3, ...RANDOM, 0, 0, 3, 19, 1, 19, 1, 0])), "malformed"],
  ["has cipher suites beyond its end", record(message([3, 3, ...RANDOM, 0, 0, 200, 19, 1])), "malformed"],
  ["has no compression method", record(message([3, 3, ...RANDOM, 0, 0, 2, 19, 1, 0])), "malformed"],
  [
    "has compression methods beyond its end",
    record(message([3, 3, ...RANDOM, 0, 0, 2, 19, 1, 5, 0])),
    "malformed",
  ],
  ["is cut inside its random", record(message([3, 3, 1, 2, 3])), "malformed"],
  ["is empty", record(message([])), "malformed"],
  ["has one byte behind its compression methods", record(message([...START, 0])), "malformed"],
  ["has bytes behind its extensions", record(message([...withExtensions(sni("a.b")), 0])), "malformed"],
  ["has a name behind its extensions", record(message([...START, 0, 0, ...sni("a.b")])), "malformed"],
  ["has fewer extensions than it says", record(message([...START, 0, 99, ...sni("a.b")])), "malformed"],
  ["has an extension beyond its end", hello([...u16(51), 0, 9, 1]), "malformed"],
  ["ends inside an extension's head", hello(GREASE, [0, 0, 0]), "malformed"],
  [
    "is followed by another message in its record",
    record([...message(START), ...message(START)]),
    "malformed",
  ],
  ["is another handshake message", record(message(START, 2)), "malformed"],
  ["is a HelloRequest", record([0, 0, 0, 0]), "malformed"],
  ["comes in an empty record", record([]), "malformed"],
  ["comes in a record of 16,385 bytes", [22, 3, 1, ...u16(16_385)], "malformed"],
  ["comes after an alert", [...record([1, 0], 21), ...hello()], "not-tls"],
  ["comes after a cipher change", [...record([1], 20), ...hello()], "not-tls"],
  ["comes as application data", record(message(START), 23), "not-tls"],
  ["is an SSL 2.0 hello", [0x80, 0x2e, 1, 3, 1, 0, 0x15, 0, 0, 0, 0x10], "not-tls"],
  ["is a DTLS hello", [22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0], "not-tls"],
  ["is an HTTP request", ascii("GET / HTTP/1.1\r\n\r\n"), "not-tls"],
  ["is an SSH banner", ascii("SSH-2.0-OpenSSH_9.2\r\n"), "not-tls"],
  ["claims a message of 16 MB", record([1, 255, 255, 255, 3, 3]), "too-long"],
  ["claims a message just over the limit", record([1, 0, 0x3f, 0xf8]), "too-long"],
  ["has only begun", [22, 3, 1], "more"],
  ["has a record header and nothing else", [22, 3, 1, 0, 255], "more"],
  ["has not sent anything", [], "more"],
];

describe("a client that", () => {
  for (const [sentence, bytes, expected] of ROWS) {
    test(`${sentence}: ${expected}`, () => {
      assert.equal(show(read(bytes)), expected);
    });
  }
});

test("every row gives the same result in two parts, cut anywhere, and byte for byte", () => {
  for (const [sentence, bytes, expected] of ROWS) {
    const whole = Uint8Array.from(bytes);
    const single = createHelloReader();
    let last = show(single.push(new Uint8Array(0)));
    for (let cut = 0; cut < whole.length; cut += 1) {
      const next = show(single.push(whole.subarray(cut, cut + 1)));
      // Once it is known, it is known.
      assert.ok(last === "more" || next === last, `${sentence}: ${last} became ${next} at byte ${cut}`);
      last = next;
      if (whole.length > 4_000 && cut % 97 !== 0) continue;
      const parts = createHelloReader();
      parts.push(whole.subarray(0, cut));
      assert.equal(show(parts.push(whole.subarray(cut))), expected, `${sentence}, cut at ${cut}`);
    }
    assert.equal(last, expected, sentence);
  }
});

describe("a hello over several records", () => {
  const body = message(withExtensions(GREASE, sni("a.example.com"), alpn("h2")));
  const records = (size: number): Bytes =>
    Array.from({ length: Math.ceil(body.length / size) }, (_, at) =>
      record(body.slice(at * size, at * size + size)),
    ).flat();

  test("is put together, whatever their size", () => {
    for (let size = 1; size <= body.length; size += 1)
      assert.equal(show(read(records(size))), "a.example.com h2", `${size} bytes a record`);
  });

  test("is no hello while its last byte is missing", () => {
    for (let size = 1; size <= body.length; size += 1)
      assert.equal(show(read(records(size).slice(0, -1))), "more", `${size} bytes a record`);
  });

  for (const [sentence, between, expected] of [
    ["an alert", record([1, 0], 21), "malformed"],
    ["a cipher change", record([1], 20), "malformed"],
    ["an empty handshake record", record([]), "malformed"],
    ["a record of another major version", [22, 2, 0, 0, 1, 0], "malformed"],
  ] as const) {
    test(`with ${sentence} in between is ${expected}`, () => {
      const parts = [...record(body.slice(0, 50)), ...between, ...record(body.slice(50))];
      assert.equal(show(read(parts)), expected);
    });
  }

  for (const type of [20, 21, 23, 24]) {
    test(`whose second one claims content type ${type} is malformed`, () => {
      const parts = [...record(body.slice(0, 50)), ...record(body.slice(50), type)];
      assert.equal(show(read(parts)), "malformed");
    });
  }

  test("whose last one reaches past it is malformed before that one is whole", () => {
    const first = record(body.slice(0, 50));
    assert.equal(show(read([...first, 22, 3, 1, ...u16(body.length - 50)])), "more");
    assert.equal(show(read([...first, 22, 3, 1, ...u16(body.length - 49)])), "malformed");
  });

  test("in records of one byte that pass the limit is too long", () => {
    const long = message(withExtensions(extension(21, ascii("\0".repeat(3_000))), sni("a.example.com")));
    const bytes = long.flatMap((byte) => record([byte]));
    assert.ok(bytes.length > HELLO_BYTES_MAX);
    assert.equal(show(read(bytes.slice(0, HELLO_BYTES_MAX))), "more");
    assert.equal(show(read(bytes.slice(0, HELLO_BYTES_MAX + 1))), "too-long");
    assert.equal(show(read(bytes)), "too-long");
  });
});

test("a hello that fills the limit exactly is read, one byte more is too long", () => {
  const frame = hello(extension(21, []), sni("a.example.com")).length;
  const filled = (extra: number): Bytes =>
    hello(extension(21, ascii("\0".repeat(HELLO_BYTES_MAX - frame + extra))), sni("a.example.com"));
  assert.equal(filled(0).length, HELLO_BYTES_MAX);
  assert.equal(show(read(filled(0))), "a.example.com");
  assert.equal(show(read(filled(1))), "too-long");
  const body = filled(0).slice(5);
  assert.equal(show(read([...record(body.slice(0, 99)), ...record(body.slice(99))])), "too-long");
});

test("early data and whatever else comes in later records is not looked at", () => {
  assert.equal(show(read([...hello(sni("a.example.com")), ...record([1, 2, 3], 23), 0, 0])), "a.example.com");
});

describe("a lie is told as soon as it is certain:", () => {
  const frame = record(message(withExtensions(sni("a.example.com"))));
  for (const [sentence, at, value] of [
    ["the handshake type", 5, 2],
    ["a session id of 33 bytes", 43, 33],
    ["an odd list of cipher suites", 45, 3],
    ["no compression methods", 48, 0],
    ["more extensions than there is room for", 51, 255],
    ["an extension longer than the list", 55, 255],
  ] as const) {
    test(sentence, () => {
      const bytes = frame.slice(0, at + 1).with(at, value);
      assert.equal(show(read(frame.slice(0, at + 1))), "more");
      assert.equal(show(read(bytes)), "malformed");
    });
  }
});

describe("what Node's client sends", () => {
  for (const [sentence, options, expected] of [
    ["with TLS 1.3", { servername: "api.example.com", minVersion: "TLSv1.3" }, "api.example.com"],
    ["with TLS 1.2", { servername: "api.example.com", maxVersion: "TLSv1.2" }, "api.example.com"],
    ["with either", { servername: "API.example.com" }, "api.example.com"],
    ["without a name", {}, "no name"],
    ["without a name over TLS 1.2", { maxVersion: "TLSv1.2" }, "no name"],
    [
      "with protocols",
      { servername: "api.example.com", ALPNProtocols: ["h2", "http/1.1"] },
      "api.example.com h2 http/1.1",
    ],
    [
      "with a post-quantum key share",
      { servername: "api.example.com", ecdhCurve: "X25519MLKEM768" },
      "api.example.com",
    ],
  ] as const) {
    test(`${sentence} is read, whole and cut anywhere`, async () => {
      const bytes = await firstBytesOf(null, options);
      for (let cut = 0; cut < bytes.length; cut += 1) {
        const reader = createHelloReader();
        assert.equal(show(reader.push(bytes.subarray(0, cut))), "more");
        assert.equal(show(reader.push(bytes.subarray(cut))), expected);
      }
    });
  }

  test("with a post-quantum key share is larger than one packet", async () => {
    const bytes = await firstBytesOf(null, { servername: "api.example.com", ecdhCurve: "X25519MLKEM768" });
    assert.ok(bytes.length > 1_460, `${bytes.length} bytes`);
  });
});

for (const [bytes, expected] of [
  [[], "more"],
  [[22], "more"],
  [[22, 3], true],
  [[22, 3, 1, 0, 0x2a], true],
  [[22, 3, 255], true],
  [[22, 2, 0], false],
  [[21, 3, 3], false],
  [ascii("GET / HTTP/1.1"), false],
] as const) {
  test(`${Buffer.from(bytes).toString("hex") || "nothing"} looks like TLS: ${expected}`, () => {
    assert.equal(looksLikeTls(Uint8Array.from(bytes)), expected);
  });
}

test("an alert is a record that Node's client understands", async () => {
  for (const [description, code] of [
    [TLS_ALERT.accessDenied, "ERR_SSL_TLSV1_ALERT_ACCESS_DENIED"],
    [TLS_ALERT.unrecognizedName, "ERR_SSL_TLSV1_UNRECOGNIZED_NAME"],
  ] as const) {
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => {
      const wire = new Duplex({
        read: () => undefined,
        write: (_chunk, _encoding, done) => {
          done();
          wire.push(alertRecord(description));
        },
      });
      tls.connect({ socket: wire, servername: "a.example.com" }).on("error", resolve);
    });
    assert.equal(error.code, code);
  }
});
