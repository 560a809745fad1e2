import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createHeadReader, HEAD_BYTES_MAX, type HeadRead, readRequestHead } from "./head.ts";
import { formatHostPort } from "./host-port.ts";

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"));
const read = (text: string): HeadRead => readRequestHead(bytesOf(text));

function show(found: HeadRead): string {
  if (found.kind === "more") return "more";
  if (found.kind === "refused") return found.problem;
  const { method, target, version, host, framing, upgrade, keepAlive } = found.head;
  const where =
    target.kind === "origin" || target.kind === "absolute"
      ? `${target.kind === "absolute" ? formatHostPort(target.host, 80) : ""}${target.path}`
      : target.kind === "asterisk"
        ? "*"
        : formatHostPort(target.host, null);
  const length = framing.kind === "length" ? `${framing.bytes} bytes` : framing.kind;
  return [
    `${method} ${where} ${version}`,
    host === null ? "no host" : formatHostPort(host, null),
    length,
    ...(upgrade ? ["upgrade"] : []),
    ...(keepAlive ? [] : ["close"]),
  ].join(", ");
}

const get = (...fields: readonly string[]): string => request("GET / HTTP/1.1", "Host: a.example", ...fields);
const post = (...fields: readonly string[]): string =>
  request("POST / HTTP/1.1", "Host: a.example", ...fields);
function request(...lines: readonly string[]): string {
  return `${lines.join("\r\n")}\r\n\r\n`;
}

type Row = readonly [sentence: string, text: string, expected: string];

const ACCEPTED: readonly Row[] = [
  ["an ordinary request", get(), "GET / 1.1, a.example:80, none"],
  [
    "a path with a query",
    request("GET /a/b?c=d&e HTTP/1.1", "Host: a.example"),
    "GET /a/b?c=d&e 1.1, a.example:80, none",
  ],
  [
    "a Host in capitals with space around",
    request("GET / HTTP/1.1", "hOsT: \t API.Example.Com \t"),
    "GET / 1.1, api.example.com:80, none",
  ],
  [
    "a Host with a dot at its end",
    request("GET / HTTP/1.1", "Host: a.example."),
    "GET / 1.1, a.example:80, none",
  ],
  [
    "a Host with a port",
    request("GET / HTTP/1.1", "Host: a.example:8080"),
    "GET / 1.1, a.example:8080, none",
  ],
  ["an IPv4 Host", request("GET / HTTP/1.1", "Host: 192.0.2.1"), "GET / 1.1, 192.0.2.1:80, none"],
  ["an IPv6 Host", request("GET / HTTP/1.1", "Host: [2001:DB8::1]:81"), "GET / 1.1, [2001:db8::1]:81, none"],
  [
    "a request for a proxy",
    request("GET http://a.example/x HTTP/1.1", "Host: a.example"),
    "GET a.example/x 1.1, a.example:80, none",
  ],
  [
    "a request for a proxy that spells port 80",
    request("GET HTTP://A.example:80/ HTTP/1.1", "Host: a.example"),
    "GET a.example/ 1.1, a.example:80, none",
  ],
  [
    "a request for a proxy without a path",
    request("GET http://a.example HTTP/1.1", "Host: a.example"),
    "GET a.example/ 1.1, a.example:80, none",
  ],
  [
    "a request for a proxy with a bare query",
    request("GET http://a.example?x HTTP/1.1", "Host: a.example"),
    "GET a.example/?x 1.1, a.example:80, none",
  ],
  [
    "OPTIONS of a server through a proxy",
    request("OPTIONS http://a.example HTTP/1.1", "Host: a.example"),
    "OPTIONS a.example* 1.1, a.example:80, none",
  ],
  [
    "OPTIONS of a server",
    request("OPTIONS * HTTP/1.1", "Host: a.example"),
    "OPTIONS * 1.1, a.example:80, none",
  ],
  [
    "CONNECT",
    request("CONNECT a.example:443 HTTP/1.1", "Host: a.example:443"),
    "CONNECT a.example:443 1.1, a.example:443, none",
  ],
  [
    "CONNECT whose Host has no port",
    request("CONNECT a.example:443 HTTP/1.1", "Host: A.example"),
    "CONNECT a.example:443 1.1, a.example:443, none",
  ],
  [
    "CONNECT without content, and saying so",
    request("CONNECT a.example:443 HTTP/1.1", "Host: a.example", "Content-Length: 0"),
    "CONNECT a.example:443 1.1, a.example:443, 0 bytes",
  ],
  [
    "CONNECT to IPv6",
    request("CONNECT [2001:db8::1]:443 HTTP/1.1", "Host: [2001:db8::1]:443"),
    "CONNECT [2001:db8::1]:443 1.1, [2001:db8::1]:443, none",
  ],
  [
    "CONNECT of an old client",
    request("CONNECT a.example:443 HTTP/1.0"),
    "CONNECT a.example:443 1.0, no host, none, close",
  ],
  ["an old client without Host", request("GET / HTTP/1.0"), "GET / 1.0, no host, none, close"],
  [
    "an old client that keeps the connection",
    request("GET / HTTP/1.0", "Host: a.example", "Connection: Keep-Alive"),
    "GET / 1.0, a.example:80, none",
  ],
  ["a client that closes", get("Connection: close"), "GET / 1.1, a.example:80, none, close"],
  ["a body of known length", post("Content-Length: 12"), "POST / 1.1, a.example:80, 12 bytes"],
  ["a body of no bytes", post("content-length: 0"), "POST / 1.1, a.example:80, 0 bytes"],
  ["a chunked body", post("Transfer-Encoding: chunked"), "POST / 1.1, a.example:80, chunked"],
  ["a chunked body in capitals", post("TRANSFER-ENCODING: Chunked "), "POST / 1.1, a.example:80, chunked"],
  [
    "an upgrade to WebSocket",
    get("Connection: keep-alive, Upgrade", "Upgrade: websocket"),
    "GET / 1.1, a.example:80, none, upgrade",
  ],
  ["an Upgrade that Connection does not name", get("Upgrade: websocket"), "GET / 1.1, a.example:80, none"],
  [
    "an Upgrade of an old client",
    request("GET / HTTP/1.0", "Connection: upgrade", "Upgrade: websocket"),
    "GET / 1.0, no host, none, close",
  ],
  ["a field without a value", get("X-Empty:"), "GET / 1.1, a.example:80, none"],
  ["a value with bytes above 127", get("X-Name: \xc3\xa4"), "GET / 1.1, a.example:80, none"],
  [
    "a method nobody knows",
    request("M-SEARCH! / HTTP/1.1", "Host: a.example"),
    "M-SEARCH! / 1.1, a.example:80, none",
  ],
];

const REFUSED: readonly Row[] = [
  ["no Host", request("GET / HTTP/1.1"), "no-host"],
  ["no Host for a proxy", request("GET http://a.example/ HTTP/1.1"), "no-host"],
  ["an empty Host", request("GET / HTTP/1.1", "Host:"), "invalid-host"],
  ["an empty Host of an old client", request("GET / HTTP/1.0", "Host: "), "invalid-host"],
  ["a list of Hosts", request("GET / HTTP/1.1", "Host: a.example, b.example"), "invalid-host"],
  ["two words as Host", request("GET / HTTP/1.1", "Host: a.example b.example"), "invalid-host"],
  ["a user in Host", request("GET / HTTP/1.1", "Host: a.example@b.example"), "invalid-host"],
  ["a URL as Host", request("GET / HTTP/1.1", "Host: http://a.example"), "invalid-host"],
  ["a Host with an empty port", request("GET / HTTP/1.1", "Host: a.example:"), "invalid-host"],
  ["a Host with a port of 0", request("GET / HTTP/1.1", "Host: a.example:0"), "invalid-host"],
  ["a Host in bytes above 127", request("GET / HTTP/1.1", "Host: \xc3\xa4.example"), "invalid-host"],
  ["an octal address as Host", request("GET / HTTP/1.1", "Host: 0177.0.0.1"), "invalid-host"],
  ["two Hosts", get("Host: b.example"), "duplicate-host"],
  ["the same Host twice", get("Host: a.example"), "duplicate-host"],
  [
    "two Hosts of an old client",
    request("GET / HTTP/1.0", "Host: a.example", "host: a.example"),
    "duplicate-host",
  ],
  [
    "a user in a request for a proxy",
    request("GET http://a.example@b.example/ HTTP/1.1", "Host: b.example"),
    "invalid-host",
  ],
  [
    "a request for a proxy without host",
    request("GET http:///x HTTP/1.1", "Host: a.example"),
    "invalid-host",
  ],
  ["https for a proxy", request("GET https://a.example/ HTTP/1.1", "Host: a.example"), "unsupported"],
  ["ftp for a proxy", request("GET ftp://a.example/ HTTP/1.1", "Host: a.example"), "unsupported"],
  ["CONNECT without a port", request("CONNECT a.example HTTP/1.1", "Host: a.example"), "invalid-host"],
  ["CONNECT to a path", request("CONNECT /x HTTP/1.1", "Host: a.example"), "invalid-host"],
  ["CONNECT to a URL", request("CONNECT http://a.example:443/ HTTP/1.1", "Host: a.example"), "invalid-host"],
  ["CONNECT to a user", request("CONNECT u@a.example:443 HTTP/1.1", "Host: a.example"), "invalid-host"],
  [
    "CONNECT to IPv6 without brackets",
    request("CONNECT 2001:db8::1:443 HTTP/1.1", "Host: a.example"),
    "invalid-host",
  ],
  [
    "CONNECT with content",
    request("CONNECT a.example:443 HTTP/1.1", "Host: a.example", "Content-Length: 5"),
    "ambiguous-length",
  ],
  [
    "CONNECT with chunks",
    request("CONNECT a.example:443 HTTP/1.1", "Host: a.example", "Transfer-Encoding: chunked"),
    "ambiguous-length",
  ],
  ["a host and port without CONNECT", request("GET a.example:443 HTTP/1.1", "Host: a.example"), "malformed"],
  ["connect in small letters", request("connect a.example:443 HTTP/1.1", "Host: a.example"), "malformed"],
  ["* without OPTIONS", request("GET * HTTP/1.1", "Host: a.example"), "malformed"],
  ["a relative path", request("GET x HTTP/1.1", "Host: a.example"), "malformed"],
  ["a fragment", request("GET /x#y HTTP/1.1", "Host: a.example"), "malformed"],
  ["a path with bytes above 127", request("GET /\xe4 HTTP/1.1", "Host: a.example"), "malformed"],
  ["a space in the path", request("GET /a b HTTP/1.1", "Host: a.example"), "malformed"],
  ["two spaces before the path", request("GET  / HTTP/1.1", "Host: a.example"), "malformed"],
  ["a tab before the path", request("GET\t/ HTTP/1.1", "Host: a.example"), "not-http"],
  ["a tab behind the path", request("GET /\tHTTP/1.1", "Host: a.example"), "malformed"],
  ["a space behind the version", request("GET / HTTP/1.1 ", "Host: a.example"), "malformed"],
  ["no version (HTTP/0.9)", "GET /\r\n", "malformed"],
  ["a version in small letters", request("GET / http/1.1", "Host: a.example"), "malformed"],
  ["a version of three digits", request("GET / HTTP/1.10", "Host: a.example"), "malformed"],
  ["version 2.0", request("GET / HTTP/2.0", "Host: a.example"), "unsupported"],
  ["version 1.2", request("GET / HTTP/1.2", "Host: a.example"), "unsupported"],
  ["an empty line in front", `\r\n${get()}`, "not-http"],
  ["a space in front", ` ${get()}`, "not-http"],
  ["a method of 33 bytes", request(`${"A".repeat(33)} / HTTP/1.1`, "Host: a.example"), "not-http"],
  ["a TLS hello", "\x16\x03\x01\x02\x00\x01", "not-http"],
  ["an SSH banner", "SSH-2.0-OpenSSH_9.2\r\n", "not-http"],
  ["a NUL in the path", request("GET /\0 HTTP/1.1", "Host: a.example"), "malformed"],
  ["a NUL in a value", get("X: a\0b"), "malformed"],
  ["an escape character in a value", get("X: \x1b[0m"), "malformed"],
  ["a DEL in a value", get("X: \x7f"), "malformed"],
  ["a NUL before the line has an end", "GET / HTTP/1.1\r\nX: a\0", "malformed"],
  ["a vertical tab before the line has an end", "GET / HTTP/1.1\r\nX: a\x0b", "malformed"],
  ["a DEL before the line has an end", "GET / HTTP/1.1\r\nX: a\x7f", "malformed"],
  ["a bare CR before the line has an end", "GET / HTTP/1.1\r\nX: a\rb", "malformed"],
  ["a field without a name", get(": x"), "malformed"],
  ["a field without a colon", get("X"), "malformed"],
  ["a name with bytes above 127", get("X\xe4: y"), "malformed"],
  ["a quoted name", get('"X": y'), "malformed"],
  ["a Connection option that is no token", get("Connection: a b"), "malformed"],
  ["a length with a sign", post("Content-Length: +5"), "ambiguous-length"],
  ["a length below 0", post("Content-Length: -5"), "ambiguous-length"],
  ["a length in hexadecimal", post("Content-Length: 0x5"), "ambiguous-length"],
  ["a length with a zero in front", post("Content-Length: 05"), "ambiguous-length"],
  ["a length with a fraction", post("Content-Length: 5.0"), "ambiguous-length"],
  ["a length with a separator", post("Content-Length: 5_0"), "ambiguous-length"],
  ["an empty length", post("Content-Length:"), "ambiguous-length"],
  ["a length of 16 digits", post("Content-Length: 9999999999999999"), "ambiguous-length"],
  ["a coding other than chunked", post("Transfer-Encoding: gzip"), "unsupported"],
  ["a coding before chunked", post("Transfer-Encoding: gzip, chunked"), "unsupported"],
  ["chunked with a parameter", post("Transfer-Encoding: chunked;q=1"), "unsupported"],
  ["identity", post("Transfer-Encoding: identity"), "unsupported"],
  [
    "chunks of an old client",
    request("POST / HTTP/1.0", "Host: a.example", "Transfer-Encoding: chunked"),
    "ambiguous-length",
  ],
];

/** Each is read differently by two servers that exist, or was. */
const ATTACKS: readonly Row[] = [
  ["CL.TE: a length and chunks", post("Content-Length: 5", "Transfer-Encoding: chunked"), "ambiguous-length"],
  ["TE.CL: chunks and a length", post("Transfer-Encoding: chunked", "Content-Length: 5"), "ambiguous-length"],
  ["CL.CL: two lengths that differ", post("Content-Length: 5", "Content-Length: 6"), "ambiguous-length"],
  ["CL.CL: two lengths that agree", post("Content-Length: 5", "Content-Length: 5"), "ambiguous-length"],
  ["CL.CL: a list of lengths", post("Content-Length: 5, 5"), "ambiguous-length"],
  [
    "TE.TE: chunked twice",
    post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    "ambiguous-length",
  ],
  [
    "TE.TE: chunked and identity",
    post("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
    "ambiguous-length",
  ],
  ["TE.TE: a list that ends in identity", post("Transfer-Encoding: chunked, identity"), "unsupported"],
  ["TE.TE: xchunked", post("Transfer-Encoding: xchunked"), "unsupported"],
  ["TE.TE: a vertical tab before chunked", post("Transfer-Encoding: \x0bchunked"), "malformed"],
  ["TE.TE: chunked in quotes", post('Transfer-Encoding: "chunked"'), "unsupported"],
  ["TE.TE: an empty coding", post("Transfer-Encoding:"), "unsupported"],
  ["TE: a space before the colon", post("Transfer-Encoding : chunked"), "malformed"],
  ["TE: a tab before the colon", post("Transfer-Encoding\t: chunked"), "malformed"],
  ["TE: folded onto the next line", post("Transfer-Encoding:", " chunked"), "malformed"],
  ["TE: behind a folded line", post("X: y", "\tTransfer-Encoding: chunked"), "malformed"],
  ["TE: behind a bare LF", post("X: y\nTransfer-Encoding: chunked"), "malformed"],
  ["TE: behind a bare CR", post("X: y\rTransfer-Encoding: chunked"), "malformed"],
  ["TE: behind CR CR LF", post("X: y\r\r\nTransfer-Encoding: chunked"), "malformed"],
  [
    "Host: behind a bare LF",
    request("GET / HTTP/1.1", "X: y\nHost: b.example", "Host: a.example"),
    "malformed",
  ],
  [
    "Host: behind a bare CR",
    request("GET / HTTP/1.1", "X: y\rHost: b.example", "Host: a.example"),
    "malformed",
  ],
  [
    "Host: a space in front of the first field",
    request("GET / HTTP/1.1", " Host: b.example", "Host: a.example"),
    "malformed",
  ],
  [
    "Host: a space before the colon",
    request("GET / HTTP/1.1", "Host : b.example", "Host: a.example"),
    "malformed",
  ],
  [
    "Host: differs from the target",
    request("GET http://a.example/ HTTP/1.1", "Host: b.example"),
    "host-mismatch",
  ],
  [
    "Host: has another port than the target",
    request("GET http://a.example/ HTTP/1.1", "Host: a.example:81"),
    "host-mismatch",
  ],
  [
    "Host: differs from CONNECT",
    request("CONNECT a.example:443 HTTP/1.1", "Host: b.example:443"),
    "host-mismatch",
  ],
  [
    "Host: has another port than CONNECT",
    request("CONNECT a.example:443 HTTP/1.1", "Host: a.example:80"),
    "host-mismatch",
  ],
  [
    "Host: a backslash before the true host",
    request("GET http://a.example\\@b.example/ HTTP/1.1", "Host: a.example"),
    "invalid-host",
  ],
  ["Host: a NUL in it", request("GET / HTTP/1.1", "Host: b.example\0.a.example"), "malformed"],
  ["a head that ends in LF LF", "GET / HTTP/1.1\nHost: a.example\n\n", "malformed"],
  ["a head that ends in CRLF LF", "GET / HTTP/1.1\r\nHost: a.example\r\n\n", "malformed"],
  ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http2-cleartext"],
  [
    "an upgrade to HTTP/2",
    get("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"),
    "http2-cleartext",
  ],
  [
    "an upgrade to HTTP/2 behind another",
    get("Connection: upgrade", "Upgrade: websocket, H2C"),
    "http2-cleartext",
  ],
  ["a head without end", `${get().slice(0, -2)}X: ${"a".repeat(HEAD_BYTES_MAX)}`, "too-long"],
  ["fields without end", `${get().slice(0, -2)}${"a:\r\n".repeat(HEAD_BYTES_MAX / 4)}`, "too-long"],
];

describe("is read:", () => {
  for (const [sentence, text, expected] of ACCEPTED)
    test(`${sentence}: ${expected}`, () => assert.equal(show(read(text)), expected));
});

describe("is refused:", () => {
  for (const [sentence, text, expected] of REFUSED)
    test(`${sentence}: ${expected}`, () => assert.equal(show(read(text)), expected));
});

describe("attack:", () => {
  for (const [sentence, text, expected] of ATTACKS)
    test(`${sentence}: ${expected}`, () => assert.equal(show(read(text)), expected));
});

test("every row gives the same result in two parts, cut anywhere, and byte for byte", () => {
  for (const [sentence, text, expected] of [...ACCEPTED, ...REFUSED, ...ATTACKS]) {
    const whole = bytesOf(text);
    for (let cut = 0; cut < whole.length; cut += 1 + (whole.length >> 9)) {
      const parts = createHeadReader();
      const first = parts.push(whole.subarray(0, cut));
      const found = first.kind === "more" ? parts.push(whole.subarray(cut)) : first;
      assert.equal(show(found), expected, `${sentence}, cut at ${cut}`);
    }
    const single = createHeadReader();
    let found: HeadRead = { kind: "more" };
    for (let at = 0; at < whole.length && found.kind === "more"; at += 1)
      found = single.push(whole.subarray(at, at + 1));
    assert.equal(show(found), expected, sentence);
  }
});

test("a head is as long as its bytes, and what follows it changes nothing", () => {
  for (const [sentence, text] of ACCEPTED) {
    const found = read(`${text}GET /next HTTP/1.1\r\n\0\n`);
    assert.ok(found.kind === "head");
    assert.equal(found.head.headBytes, text.length, sentence);
    assert.equal(show(read(text.slice(0, -1))), "more", sentence);
  }
});

test("the fields come back in order, as they were written, repeated ones too", () => {
  const found = read(get("X-B:  one ", "x-b: two,three", "Cookie: a=b; c=d"));
  assert.deepEqual(found.kind === "head" && found.head.headers, [
    { name: "Host", value: "a.example" },
    { name: "X-B", value: "one" },
    { name: "x-b", value: "two,three" },
    { name: "Cookie", value: "a=b; c=d" },
  ]);
});

test("a head that fills the limit exactly is read, one byte more is too long", () => {
  const filled = (bytes: number): string => get(`X: ${"a".repeat(bytes - get("X: ").length)}`);
  assert.equal(filled(HEAD_BYTES_MAX).length, HEAD_BYTES_MAX);
  assert.equal(read(filled(HEAD_BYTES_MAX)).kind, "head");
  assert.equal(show(read(filled(HEAD_BYTES_MAX + 1))), "too-long");
});
