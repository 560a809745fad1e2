import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { frameOf, parseTcpFrames } from "./tcp-frame.ts";

const messages = [12, 40, 300].map((length) => new Uint8Array(length).fill(length & 255));
const stream = Uint8Array.from(messages.flatMap((message) => [...frameOf(message)]));

test("a frame split at every byte boundary is put together", () => {
  for (let at = 0; at <= stream.length; at += 1) {
    const frames = parseTcpFrames(512);
    const read = [stream.subarray(0, at), stream.subarray(at)].flatMap(
      (chunk) => frames.push(chunk).messages,
    );
    assert.deepEqual(read, messages);
    assert.equal(frames.heldBytes(), 0);
  }
});

test("a stream in chunks of any size gives the same messages", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), (sizes) => {
      const frames = parseTcpFrames(512);
      const read: Uint8Array[] = [];
      for (let at = 0, turn = 0; at < stream.length; turn += 1) {
        const size = sizes[turn % sizes.length] ?? 1;
        read.push(...frames.push(stream.subarray(at, at + size)).messages);
        at += size;
      }
      assert.deepEqual(read, messages);
    }),
  );
});

test("a message is a copy, whatever becomes of the chunk", () => {
  const chunk = frameOf(new Uint8Array(12).fill(7));
  const { messages: read } = parseTcpFrames(512).push(chunk);
  chunk.fill(0);
  assert.deepEqual(read, [new Uint8Array(12).fill(7)]);
});

test("a length over the limit ends the stream for good, and what came before it still counts", () => {
  const frames = parseTcpFrames(100);
  const bytes = Uint8Array.from([...frameOf(new Uint8Array(100)), 0, 101, ...frameOf(new Uint8Array(50))]);
  assert.deepEqual(frames.push(bytes), { ok: false, problem: "too-long", messages: [new Uint8Array(100)] });
  assert.deepEqual(frames.push(frameOf(new Uint8Array(50))), {
    ok: false,
    problem: "too-long",
    messages: [],
  });
  assert.equal(frames.heldBytes(), 0);
});

test("a length of zero, or one without room for a header, ends the stream", () => {
  for (const length of [0, 1, 11]) {
    const read = parseTcpFrames(512).push(new Uint8Array([0, length]));
    assert.deepEqual(read, { ok: false, problem: "too-short", messages: [] });
  }
});

test("what is held is told while a message is not complete", () => {
  const frames = parseTcpFrames(512);
  const seen = [stream.subarray(0, 1), stream.subarray(1, 2), stream.subarray(2, 13)].map((chunk) => {
    frames.push(chunk);
    return frames.heldBytes();
  });
  assert.deepEqual(seen, [1, 2, 13]);
});
