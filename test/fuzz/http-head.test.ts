/** Hostile bytes in front of the HTTP readers, with Node's own server (llhttp, strict) as the second opinion. */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, METHODS } from "node:http";
import { Duplex } from "node:stream";
import { test } from "node:test";
import fc from "fast-check";
import { forwardHead } from "../../src/core/http/forward.ts";
import {
  createHeadReader,
  HEAD_BYTES_MAX,
  type HeadRead,
  readRequestHead,
} from "../../src/core/http/head.ts";
import { createRequestStream, type StreamStep } from "../../src/core/http/request-stream.ts";

const RUNS = Number(process.env["SEAWALL_FUZZ_RUNS"] ?? 400);
const SETTINGS = { numRuns: RUNS, seed: 20_261_104 };

/** Mostly the first, now and then one of the others. */
const mostly = (usual: string, ...others: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  );

const lineEnd = mostly("\r\n", "\n", "\r", "\r\r\n", "\r\n ", "\r\n\t", "\r\n\r\n");
const colon = mostly(": ", ":", " : ", "\t:", ": \t", ":\x0b", ":\0");
const field = fc
  .tuple(
    fc.constantFrom(
      "X-A",
      "Connection",
      "Upgrade",
      "Content-Length",
      "Transfer-Encoding",
      "Host",
      "Expect",
      "TE",
      "content-length",
    ),
    colon,
    fc.constantFrom(
      "5",
      "0",
      "05",
      "5, 5",
      "chunked",
      "Chunked",
      "gzip, chunked",
      "a.example",
      "b.example:81",
      "close",
      "upgrade",
      "websocket",
      "h2c",
      "keep-alive",
      "",
      "\xe4",
      "100-continue",
      "trailers",
      "\x7f",
    ),
  )
  .map((parts) => parts.join(""));
const requestLine = fc
  .tuple(
    fc.constantFrom("GET", "POST", "PUT", "OPTIONS", "HEAD", "DELETE"),
    mostly(" ", "  ", "\t"),
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom("/", "/a?b=c", "/%00", "//b.example/", "/a|b") },
      {
        weight: 2,
        arbitrary: fc.constantFrom("*", "http://a.example/x", "http://A.example", "http://b.example/", "a:1"),
      },
    ),
    mostly(" ", "  ", "\t"),
    mostly("HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/1.2", "http/1.1", ""),
  )
  .map((parts) => parts.join(""));
const body = fc.constantFrom(
  "",
  "hello",
  "5\r\nhello\r\n0\r\n\r\n",
  "0\r\n\r\n",
  "0\r\nX-T: y\r\n\r\n",
  "5;a=b\r\nhello\r\n0\r\n\r\n",
  "5\nhello\r\n0\r\n\r\n",
  "A\r\n0123456789\r\n00\r\n\r\n",
);
/** One request, right more often than not, with a body that may belong to it. */
const request = fc
  .record({
    requestLine,
    host: mostly("Host: a.example", "", "host:b.example", "Host: a.example\r\nHost: a.example"),
    fields: fc.array(field, { maxLength: 2 }),
    ends: fc.array(lineEnd, { minLength: 5, maxLength: 5 }),
    body,
  })
  .map((made) => {
    const lines = [made.requestLine, made.host, ...made.fields].filter((line) => line !== "");
    return `${lines.map((line, at) => line + (made.ends[at] ?? "")).join("")}\r\n${made.body}`;
  });
/** A body that fits its head, so that what follows is read as a request. */
const fitting = fc.constantFrom(
  "GET /g HTTP/1.1\r\nHost: a.example\r\n\r\n",
  "POST /l HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello",
  "POST /c HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: y\r\n\r\n",
  "PUT /e HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n",
);
const connection = fc
  .record({
    requests: fc.array(fc.oneof({ weight: 3, arbitrary: fitting }, { weight: 2, arbitrary: request }), {
      minLength: 1,
      maxLength: 4,
    }),
    change: fc.option(fc.tuple(fc.nat(500), fc.integer({ min: 0, max: 255 })), { freq: 2 }),
  })
  .map(({ requests, change }): Uint8Array => {
    const bytes = Uint8Array.from(Buffer.from(requests.join(""), "latin1"));
    if (change !== null) bytes[change[0] % bytes.length] = change[1];
    return bytes;
  });
const anything = fc.oneof(
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  { weight: 6, arbitrary: connection },
);
const pieces = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });

function* cut(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  let at = 0;
  for (let turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.slice(at, at + size);
    at += size;
  }
}

test("any bytes give the same head or refusal, in pieces of any size", () => {
  fc.assert(
    fc.property(anything, pieces, (bytes, sizes) => {
      const reader = createHeadReader();
      let found: HeadRead = { kind: "more" };
      for (const piece of cut(bytes, sizes)) {
        if (found.kind !== "more") break;
        found = reader.push(piece);
      }
      assert.deepEqual(found, readRequestHead(bytes));
    }),
    SETTINGS,
  );
});

test("a prefix is more, or already the answer of the whole", () => {
  fc.assert(
    fc.property(anything, fc.nat(500), (bytes, length) => {
      const early = readRequestHead(bytes.subarray(0, length % (bytes.length + 1)));
      if (early.kind !== "more") assert.deepEqual(early, readRequestHead(bytes));
    }),
    SETTINGS,
  );
});

test("no answer needs more bytes than the limit", () => {
  fc.assert(
    fc.property(fc.constantFrom("a", "a: b\r\n", "G / HTTP/1.1\r\n", "\r\n", "GET "), (unit) => {
      const bytes = Buffer.from(`GET / HTTP/1.1\r\n${unit.repeat(HEAD_BYTES_MAX)}`);
      assert.notEqual(readRequestHead(bytes.subarray(0, HEAD_BYTES_MAX)).kind, "more");
    }),
  );
});

function stepsOf(chunks: Iterable<Uint8Array>): StreamStep[] {
  const stream = createRequestStream();
  const steps: StreamStep[] = [];
  for (const chunk of chunks) steps.push(...stream.push(chunk));
  return steps;
}

test("a connection gives the same requests and the same bytes, in pieces of any size", () => {
  fc.assert(
    fc.property(anything, pieces, (bytes, sizes) => {
      const [whole, parts] = [requestsOf(stepsOf([bytes])), requestsOf(stepsOf(cut(bytes, sizes)))];
      assert.deepEqual(parts, whole);
      assert.ok(
        Buffer.from(bytes)
          .toString("latin1")
          .startsWith(whole.map(({ sent }) => sent).join("")),
      );
    }),
    SETTINGS,
  );
});

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly host: string;
  readonly body: string;
  readonly isWhole: boolean;
}

/** The requests in the steps, the body as it was sent. */
function requestsOf(
  steps: readonly StreamStep[],
): (Seen & { readonly sent: string; readonly isLast: boolean })[] {
  const found: ReturnType<typeof requestsOf> = [];
  for (const step of steps) {
    if (step.kind === "head") {
      const sent = Buffer.from(step.raw).toString("latin1");
      const { method, headers } = step.head;
      found.push({
        method,
        url: sent.split(" ", 2)[1] ?? "",
        host: headers.find(({ name }) => name.toLowerCase() === "host")?.value ?? "",
        body: "",
        isWhole: false,
        sent,
        isLast: step.head.upgrade || !step.head.keepAlive,
      });
      continue;
    }
    const last = found.at(-1);
    if (last === undefined) continue;
    if (step.kind === "body") {
      const text = Buffer.from(step.bytes).toString("latin1");
      found[found.length - 1] = { ...last, body: last.body + text, sent: last.sent + text };
    } else if (step.kind === "end") found[found.length - 1] = { ...last, isWhole: true };
  }
  return found;
}

/** What Node's server makes of the connection; no network is used. */
async function forNode(bytes: Uint8Array): Promise<Seen[]> {
  const seen: { method: string; url: string; host: string; body: string; isWhole: boolean }[] = [];
  const wire = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  const note = (message: IncomingMessage): void => {
    const { method = "", url = "", headers } = message;
    const one = { method, url, host: headers.host ?? "", body: "", isWhole: false };
    seen.push(one);
    message.setEncoding("latin1");
    message.on("data", (part: string) => {
      one.body += part;
    });
    message.on("end", () => {
      one.isWhole = true;
    });
  };
  const server = createServer({ requireHostHeader: false }, (message, response) => {
    note(message);
    message.on("end", () => response.end());
  });
  server.on("checkContinue", (message, response) => server.emit("request", message, response));
  server.on("checkExpectation", (message, response) => server.emit("request", message, response));
  server.on("upgrade", (message) => {
    note(message);
    const one = seen.at(-1);
    if (one !== undefined) one.isWhole = true;
  });
  server.on("clientError", () => undefined);
  server.emit("connection", wire);
  wire.push(bytes);
  for (let turn = 0; turn < 12; turn += 1) await new Promise(setImmediate);
  wire.destroy();
  server.close();
  return seen;
}

/** The content of a chunked body. */
function unchunked(text: string): string {
  let content = "";
  let at = 0;
  for (;;) {
    const end = text.indexOf("\r\n", at);
    const size = end < 0 ? 0 : Number.parseInt(text.slice(at, end), 16);
    if (size === 0) return content;
    content += text.slice(end + 2, end + 2 + size);
    at = end + 2 + size + 2;
  }
}

test("Node's server sees the requests that were judged, with the same method, host and body, and no other", async () => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(connection, async (bytes) => {
      const steps = stepsOf([bytes]);
      const ours = requestsOf(steps);
      // What a gate passes on: everything that was given out, and nothing behind a refusal.
      const theirs = await forNode(Buffer.from(ours.map(({ sent }) => sent).join(""), "latin1"));
      // Node gives up at a method that it does not know, and stops behind `Connection: close`.
      const strange = ours.findIndex(({ method }) => !METHODS.includes(method));
      const known = strange < 0 ? ours : ours.slice(0, strange);
      const closing = known.findIndex(({ isLast }) => isLast);
      const expected = closing < 0 ? known : known.slice(0, closing + 1);
      assert.deepEqual(
        theirs.map(({ method, url, host }) => [method, url, host]),
        expected.map(({ method, url, host }) => [method, url, host]),
      );
      for (const [at, one] of expected.entries()) {
        const isChunked = /\r\ntransfer-encoding:/i.test(
          one.sent.slice(0, one.sent.length - one.body.length),
        );
        if (!one.isWhole) continue;
        assert.equal(theirs[at]?.body, isChunked ? unchunked(one.body) : one.body);
        assert.equal(theirs[at]?.isWhole, true);
        compared += 1;
      }
    }),
    SETTINGS,
  );
  assert.ok(compared > RUNS / 2, `only ${compared} whole requests in ${RUNS} connections`);
});

test("what is forwarded is read again as the same request, and by Node's server too", async () => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(request, async (text) => {
      const found = readRequestHead(Buffer.from(text, "latin1"));
      if (found.kind !== "head") return;
      const { head } = found;
      const forwarded = forwardHead(head);
      const again = readRequestHead(forwarded);
      assert.ok(again.kind === "head" && again.head.headBytes === forwarded.length);
      assert.deepEqual(
        [again.head.method, again.head.version, again.head.framing, again.head.upgrade],
        [head.method, head.version, head.framing, head.upgrade],
      );
      assert.deepEqual(again.head.host, head.target.kind === "absolute" ? head.target.host : head.host);
      assert.equal((await forNode(forwarded)).length, 1);
      compared += 1;
    }),
    SETTINGS,
  );
  assert.ok(compared > RUNS / 20, `only ${compared} of ${RUNS} were requests`);
});
