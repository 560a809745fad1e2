import assert from "node:assert/strict";
import { test } from "node:test";
import { forwardHead } from "./forward.ts";
import { readRequestHead, type RequestHead } from "./head.ts";

function headOf(...lines: readonly string[]): RequestHead {
  const read = readRequestHead(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"));
  assert.ok(read.kind === "head", read.kind === "refused" ? read.problem : "more");
  return read.head;
}

for (const [sentence, sent, forwarded] of [
  [
    "the target becomes path and Host",
    ["GET http://A.Example:80/x?y HTTP/1.1", "Accept: */*", "Host: a.example"],
    ["GET /x?y HTTP/1.1", "Host: a.example", "Accept: */*", "Connection: close"],
  ],
  [
    "another port stays in Host",
    ["GET http://a.example:8080/ HTTP/1.1", "Host: a.example:8080"],
    ["GET / HTTP/1.1", "Host: a.example:8080", "Connection: close"],
  ],
  [
    "an IPv6 host keeps its brackets",
    ["GET http://[2001:DB8::1]/ HTTP/1.1", "Host: [2001:db8::1]"],
    ["GET / HTTP/1.1", "Host: [2001:db8::1]", "Connection: close"],
  ],
  [
    "what is for the proxy alone is dropped, credentials first",
    [
      "GET http://a.example/ HTTP/1.1",
      "Host: a.example",
      "Proxy-Authorization: Basic c2VjcmV0",
      "Proxy-Connection: keep-alive",
      "Keep-Alive: timeout=5",
      "TE: trailers",
      "Upgrade: websocket",
      "Authorization: Bearer x",
    ],
    ["GET / HTTP/1.1", "Host: a.example", "Authorization: Bearer x", "Connection: close"],
  ],
  [
    "what Connection names is dropped, whatever its case",
    [
      "GET http://a.example/ HTTP/1.1",
      "Host: a.example",
      "Connection: X-One, keep-alive,x-TWO",
      "x-one: 1",
      "X-Two: 2",
      "X-Three: 3",
    ],
    ["GET / HTTP/1.1", "Host: a.example", "X-Three: 3", "Connection: close"],
  ],
  [
    "attack: Connection cannot drop Host or the length",
    [
      "POST http://a.example/ HTTP/1.1",
      "Host: a.example",
      "Connection: host, content-length",
      "Content-Length: 5",
    ],
    ["POST / HTTP/1.1", "Host: a.example", "Content-Length: 5", "Connection: close"],
  ],
  [
    "attack: Connection cannot drop the chunks",
    [
      "POST http://a.example/ HTTP/1.1",
      "Host: a.example",
      "Connection: transfer-encoding",
      "Transfer-Encoding: CHUNKED",
    ],
    ["POST / HTTP/1.1", "Host: a.example", "Transfer-Encoding: chunked", "Connection: close"],
  ],
  [
    "an upgrade stays one",
    [
      "GET http://a.example/ws HTTP/1.1",
      "Host: a.example",
      "Connection: keep-alive, Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
    ],
    [
      "GET /ws HTTP/1.1",
      "Host: a.example",
      "Sec-WebSocket-Version: 13",
      "Connection: Upgrade",
      "Upgrade: websocket",
    ],
  ],
  [
    "OPTIONS without a path is for the whole server",
    ["OPTIONS http://a.example HTTP/1.1", "Host: a.example"],
    ["OPTIONS * HTTP/1.1", "Host: a.example", "Connection: close"],
  ],
  [
    "OPTIONS * stays as it is",
    ["OPTIONS * HTTP/1.1", "Host: a.example"],
    ["OPTIONS * HTTP/1.1", "Host: a.example", "Connection: close"],
  ],
  [
    "an old client stays one, and is given a Host",
    ["GET http://a.example/ HTTP/1.0"],
    ["GET / HTTP/1.0", "Host: a.example", "Connection: close"],
  ],
  [
    "an old client without any host is given none",
    ["GET / HTTP/1.0"],
    ["GET / HTTP/1.0", "Connection: close"],
  ],
  [
    "bytes above 127 and repeated fields stay as they are",
    ["GET / HTTP/1.1", "Host: a.example", "X-Name: \xc3\xa4", "Cookie: a", "Cookie: b"],
    ["GET / HTTP/1.1", "Host: a.example", "X-Name: \xc3\xa4", "Cookie: a", "Cookie: b", "Connection: close"],
  ],
] as const) {
  test(sentence, () => {
    const bytes = forwardHead(headOf(...sent));
    assert.equal(Buffer.from(bytes).toString("latin1"), `${forwarded.join("\r\n")}\r\n\r\n`);
    const again = readRequestHead(bytes);
    assert.ok(again.kind === "head" && again.head.headBytes === bytes.length);
    assert.deepEqual(again.head.framing, headOf(...sent).framing);
  });
}

test("CONNECT is not forwarded", () => {
  const head = headOf("CONNECT a.example:443 HTTP/1.1", "Host: a.example");
  assert.throws(() => forwardHead(head), /never forwarded/);
});
