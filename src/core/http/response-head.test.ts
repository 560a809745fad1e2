import assert from "node:assert/strict";
import { test } from "node:test";
import { readStatus, type StatusRead } from "./response-head.ts";

const read = (text: string): StatusRead => readStatus(Buffer.from(text, "latin1"));

for (const [text, expected] of [
  ["HTTP/1.1 101 Switching Protocols\r\n", 101],
  ["HTTP/1.1 101\r\n", 101],
  ["HTTP/1.0 200 OK\r\n", 200],
  ["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 x\r\n", 100],
  ["HTTP/1.1 403 ", 403],
  ["HTTP/1.1 101", "more"],
  ["HTTP/1.", "more"],
  ["", "more"],
  ["HTTP/1.1 1011 x", "refused"],
  ["HTTP/1.1 101X", "refused"],
  ["HTTP/1.1 101\n", "refused"],
  ["HTTP/1.1  101 x", "refused"],
  ["HTTP/2.0 101 x", "refused"],
  ["http/1.1 101 x", "refused"],
  ["HTTP/1.1 099 x", "refused"],
  ["HTTP/1.1 600 x", "refused"],
  ["HTTP/1.1 1", "more"],
  ["HTTP/1.1 x", "refused"],
  ["\r\nHTTP/1.1 101 x", "refused"],
  ["SSH-2.0", "refused"],
  ["\x16\x03", "refused"],
] as const) {
  test(`${JSON.stringify(text)} is ${expected}, and no prefix of it says otherwise`, () => {
    const found = read(text);
    assert.equal(found.kind === "status" ? found.code : found.kind, expected);
    for (let cut = 0; cut < text.length; cut += 1) {
      const early = read(text.slice(0, cut));
      if (early.kind !== "more") assert.deepEqual(early, found);
    }
  });
}
