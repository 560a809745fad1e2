import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  createRequestStream,
  HELD_BYTES_MAX,
  type RequestStream,
  type StreamStep,
} from "./request-stream.ts";

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"));
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

/** Steps as lines; parts of one body or tunnel are joined, because where they are cut means nothing. */
function show(steps: readonly StreamStep[]): string[] {
  const lines: string[] = [];
  for (const step of steps) {
    const line = showStep(step);
    const last = lines.at(-1);
    const word = line.slice(0, line.indexOf(" ") + 1);
    if ((step.kind === "body" || step.kind === "raw") && last?.startsWith(word) === true)
      lines[lines.length - 1] = `${last}${line.slice(word.length)}`;
    else lines.push(line);
  }
  return lines;
}

function showStep(step: StreamStep): string {
  switch (step.kind) {
    case "head": {
      const { target, method } = step.head;
      assert.equal(step.raw.length, step.head.headBytes);
      assert.ok(textOf(step.raw).startsWith(`${method} `) && textOf(step.raw).endsWith("\r\n\r\n"));
      return `${method} ${target.kind === "origin" ? target.path : target.kind}`;
    }
    case "body":
    case "raw":
      return `${step.kind} ${textOf(step.bytes)}`;
    case "end":
      return "end";
    case "refused":
      return `refused ${step.problem}`;
  }
}

function inPieces(text: string, size: number): string[] {
  const stream = createRequestStream();
  return show(pushAll(stream, text, size));
}

function pushAll(stream: RequestStream, text: string, size: number): StreamStep[] {
  const whole = bytesOf(text);
  const steps: StreamStep[] = [];
  for (let at = 0; at < whole.length; at += size) steps.push(...stream.push(whole.slice(at, at + size)));
  return steps;
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a.example\r\n\r\n`;
const post = (...fields: readonly string[]): string =>
  `POST /p HTTP/1.1\r\nHost: a.example\r\n${fields.map((field) => `${field}\r\n`).join("")}\r\n`;
const chunked = (body: string): string => post("Transfer-Encoding: chunked") + body;
const SMUGGLED = get("/smuggled");

type Row = readonly [sentence: string, text: string, expected: readonly string[]];

const ROWS: readonly Row[] = [
  ["one request", get("/a"), ["GET /a", "end"]],
  [
    "three requests at once",
    get("/a") + get("/b") + get("/c"),
    ["GET /a", "end", "GET /b", "end", "GET /c", "end"],
  ],
  ["half a second request", get("/a") + get("/b").slice(0, -1), ["GET /a", "end"]],
  [
    "a body, then a request",
    post("Content-Length: 5") + "hello" + get("/b"),
    ["POST /p", "body hello", "end", "GET /b", "end"],
  ],
  ["a body of nothing", post("Content-Length: 0") + get("/b"), ["POST /p", "end", "GET /b", "end"]],
  ["a body that is not there yet", post("Content-Length: 9") + "hell", ["POST /p", "body hell"]],
  [
    "chunks, then a request",
    chunked("5\r\nhello\r\n0\r\n\r\n") + get("/b"),
    ["POST /p", "body 5\r\nhello\r\n0\r\n\r\n", "end", "GET /b", "end"],
  ],
  [
    "chunks of all sizes",
    chunked("1\r\na\r\n0A\r\n0123456789\r\nb\r\n01234567890\r\n000\r\n\r\n"),
    ["POST /p", "body 1\r\na\r\n0A\r\n0123456789\r\nb\r\n01234567890\r\n000\r\n\r\n", "end"],
  ],
  [
    "trailers",
    chunked("0\r\nX-Sum: 1\r\nX-End: \r\n\r\n") + get("/b"),
    ["POST /p", "body 0\r\nX-Sum: 1\r\nX-End: \r\n\r\n", "end", "GET /b", "end"],
  ],
  [
    "a chunk whose content looks like an end",
    chunked("7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n"),
    ["POST /p", "body 7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", "end"],
  ],
  [
    "a head that is refused",
    get("/a") + "GET / HTTP/1.1\r\nHost: a b\r\n\r\n" + get("/c"),
    ["GET /a", "end", "refused invalid-host"],
  ],
  ["something else than a request", get("/a") + "\x16\x03\x01", ["GET /a", "end", "refused not-http"]],
];

const ATTACKS: readonly Row[] = [
  [
    "a request inside a body is body",
    post(`Content-Length: ${SMUGGLED.length}`) + SMUGGLED,
    ["POST /p", `body ${SMUGGLED}`, "end"],
  ],
  [
    "a request inside a chunk is body",
    chunked(`${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`),
    ["POST /p", `body ${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`, "end"],
  ],
  [
    "a request behind a body is judged",
    post("Content-Length: 4") + "0\r\nX" + SMUGGLED,
    ["POST /p", "body 0\r\nX", "end", "GET /smuggled", "end"],
  ],
  [
    "a request behind GET without a length is judged",
    get("/a") + SMUGGLED,
    ["GET /a", "end", "GET /smuggled", "end"],
  ],
  [
    "a request behind the last chunk is judged",
    chunked("0\r\n\r\n") + SMUGGLED,
    ["POST /p", "body 0\r\n\r\n", "end", "GET /smuggled", "end"],
  ],
  [
    "a chunk extension (bare LF inside)",
    chunked("2;\nxx\r\n4c\r\n"),
    ["POST /p", "body 2", "refused malformed"],
  ],
  [
    "a chunk extension (honest)",
    chunked("5;a=b\r\nhello\r\n0\r\n\r\n"),
    ["POST /p", "body 5", "refused malformed"],
  ],
  [
    "a chunk size that ends in a bare LF",
    chunked("5\nhello\r\n0\r\n\r\n"),
    ["POST /p", "body 5", "refused malformed"],
  ],
  ["a chunk size that ends in a bare CR", chunked("5\rhello"), ["POST /p", "body 5\r", "refused malformed"]],
  ["a chunk size with 0x", chunked("0x5\r\nhello\r\n"), ["POST /p", "body 0", "refused malformed"]],
  ["a chunk size with a sign", chunked("+5\r\nhello\r\n"), ["POST /p", "refused malformed"]],
  ["a chunk size below 0", chunked("-1\r\nhello\r\n"), ["POST /p", "refused malformed"]],
  ["a chunk size with a space", chunked("5 \r\nhello\r\n"), ["POST /p", "body 5", "refused malformed"]],
  [
    "a chunk size with an underscore",
    chunked("5_0\r\nhello\r\n"),
    ["POST /p", "body 5", "refused malformed"],
  ],
  [
    "a chunk size that overflows 32 bits",
    chunked("100000005\r\nhello\r\n"),
    ["POST /p", "body 10000000", "refused malformed"],
  ],
  ["an empty chunk size", chunked("\r\nhello\r\n"), ["POST /p", "refused malformed"]],
  [
    "a chunk longer than it says",
    chunked("4\r\nhello\r\n0\r\n\r\n"),
    ["POST /p", "body 4\r\nhell", "refused malformed"],
  ],
  [
    "a chunk that ends in a bare LF",
    chunked("5\r\nhello\n0\r\n\r\n"),
    ["POST /p", "body 5\r\nhello", "refused malformed"],
  ],
  [
    "a chunk that ends in two other bytes",
    chunked("5\r\nhelloXX0\r\n\r\n"),
    ["POST /p", "body 5\r\nhello", "refused malformed"],
  ],
  [
    "a trailer that sets a length",
    chunked("0\r\nContent-Length: 9\r\n\r\n"),
    ["POST /p", "body 0\r\nContent-Length: 9\r", "refused malformed"],
  ],
  [
    "a trailer that sets a coding",
    chunked("0\r\nTRANSFER-encoding: x\r\n\r\n"),
    ["POST /p", "body 0\r\nTRANSFER-encoding: x\r", "refused malformed"],
  ],
  [
    "a trailer that sets a host",
    chunked("0\r\nHost: b.example\r\n\r\n"),
    ["POST /p", "body 0\r\nHost: b.example\r", "refused malformed"],
  ],
  [
    "a trailer with a bare LF",
    chunked("0\r\nA: b\nC: d\r\n\r\n"),
    ["POST /p", "body 0\r\nA: b", "refused malformed"],
  ],
  [
    "a request in place of a trailer",
    chunked("0\r\nGET /smuggled HTTP/1.1\r\nHost: b.example\r\n\r\n"),
    ["POST /p", "body 0\r\nGET /smuggled HTTP/1.1\r", "refused malformed"],
  ],
  [
    "trailers without end",
    chunked(`0\r\n${"a:\r\n".repeat(1_025)}`),
    ["POST /p", `body 0\r\n${"a:\r\n".repeat(1_024)}`, "refused too-long"],
  ],
];

for (const [name, rows] of [
  ["a connection with", ROWS],
  ["attack:", ATTACKS],
] as const) {
  describe(name, () => {
    for (const [sentence, text, expected] of rows) {
      test(`${sentence} gives the same steps whatever its pieces`, () => {
        for (const size of [text.length, 1, 2, 3, 5, 7, 11, 64])
          assert.deepEqual(inPieces(text, size), expected, `${size} bytes a piece`);
      });
    }
  });
}

const UPGRADE = "GET /ws HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const CONNECT = "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n";

for (const [name, head, line] of [
  ["an upgrade", UPGRADE, "GET /ws"],
  ["CONNECT", CONNECT, "CONNECT authority"],
] as const) {
  describe(`${name}:`, () => {
    for (const size of [1, 3, 1_000]) {
      test(`what follows is held until it is decided, ${size} bytes a piece`, () => {
        const stream = createRequestStream();
        assert.deepEqual(show(pushAll(stream, `${head}\0\n${SMUGGLED}`, size)), [line, "end"]);
        assert.deepEqual(show(stream.upgraded()), [`raw \0\n${SMUGGLED}`]);
        assert.deepEqual(show(pushAll(stream, "\r\n\x16more", size)), ["raw \r\n\x16more"]);
      });

      test(`what follows is judged when it was declined, ${size} bytes a piece`, () => {
        const stream = createRequestStream();
        assert.deepEqual(show(pushAll(stream, head + get("/b") + get("/c").slice(0, 9), size)), [
          line,
          "end",
        ]);
        assert.deepEqual(show(stream.declined()), ["GET /b", "end"]);
        assert.deepEqual(show(pushAll(stream, get("/c").slice(9), size)), ["GET /c", "end"]);
      });
    }

    test("nothing followed yet", () => {
      const stream = createRequestStream();
      assert.deepEqual(show(stream.push(bytesOf(head))), [line, "end"]);
      assert.deepEqual(stream.upgraded(), []);
      assert.deepEqual(show(stream.push(bytesOf("raw"))), ["raw raw"]);
    });

    test("more than the limit is not held", () => {
      const stream = createRequestStream();
      assert.deepEqual(show(pushAll(stream, head + "x".repeat(HELD_BYTES_MAX), 1_000)), [line, "end"]);
      assert.deepEqual(show(stream.push(bytesOf("x"))), ["refused too-long"]);
      assert.deepEqual(stream.upgraded(), []);
      assert.deepEqual(stream.push(bytesOf(get("/a"))), []);
    });
  });
}

test("an upgrade with a body is held only behind its body", () => {
  const stream = createRequestStream();
  const head = UPGRADE.replace("\r\n\r\n", "\r\nContent-Length: 2\r\n\r\n");
  assert.deepEqual(show(stream.push(bytesOf(`${head}hi\0raw`))), ["GET /ws", "body hi", "end"]);
  assert.deepEqual(show(stream.upgraded()), ["raw \0raw"]);
});

test("attack: an upgrade that was never asked for cannot be accepted", () => {
  const stream = createRequestStream();
  stream.push(bytesOf(get("/a")));
  assert.deepEqual([...stream.upgraded(), ...stream.declined()], []);
  assert.deepEqual(show(stream.push(bytesOf(get("/b")))), ["GET /b", "end"]);
});

test("attack: an upgrade inside what was held behind a declined one is held again", () => {
  const stream = createRequestStream();
  stream.push(bytesOf(UPGRADE + UPGRADE + SMUGGLED));
  assert.deepEqual(show(stream.declined()), ["GET /ws", "end"]);
  assert.deepEqual(show(stream.declined()), ["GET /smuggled", "end"]);
});

test("after a refusal nothing is read, not even a good request", () => {
  const stream = createRequestStream();
  assert.deepEqual(show(stream.push(bytesOf("\0"))), ["refused not-http"]);
  assert.deepEqual(stream.push(bytesOf(get("/a"))), []);
});

test("the bytes given out are the bytes that were sent, each once and in order", () => {
  const text =
    get("/a") + post("Content-Length: 5") + "hello" + chunked("5\r\nhello\r\n0\r\nX: y\r\n\r\n") + get("/b");
  for (const size of [1, 7, 100, text.length]) {
    const given = pushAll(createRequestStream(), text, size).map((step) =>
      step.kind === "head" ? textOf(step.raw) : step.kind === "body" ? textOf(step.bytes) : "",
    );
    assert.equal(given.join(""), text);
  }
});
