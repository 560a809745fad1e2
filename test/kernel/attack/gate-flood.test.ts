// Attack: a gate that is taken over says more than any gate, as fast as it can, or knocks at seawalld's door without end.
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { deserialize } from "node:v8";
import { GATE_FRAME_BYTES_MAX, type FromGate } from "../../../src/core/gate/message.ts";
import { openLinkServer } from "../../../src/daemon/gate/link-server.ts";
import { eventually } from "../../support/host/eventually.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const HELLO = { kind: "hello", pid: 1, version: "0.1.0" };
const PIN = {
  kind: "pin",
  id: 1,
  scope: "agent",
  host: "a.example.com",
  addresses: ["192.0.2.1"],
  seconds: 90,
};
const FLOOD = 20_000;
/** LIMIT: answers that may wait in seawalld for a gate that does not read. */
const WAITING_BYTES_MAX = 1024 * 1024;
const LIMIT_MS = 60_000;

function frame(message: object): Buffer {
  const content = Buffer.from(JSON.stringify(message));
  const header = Buffer.alloc(4);
  header.writeUInt32LE(content.length);
  return Buffer.concat([header, content]);
}

async function opened(context: TestContext) {
  const path = `${temporaryDirectory(context)}/gate.sock`;
  const seen = { greeted: 0, heard: [] as FromGate[], lost: 0, said: [] as string[] };
  const server = await openLinkServer({
    path,
    gateUid: 64_953,
    onLink: () => void (seen.greeted += 1),
    onMessage: (message) => void seen.heard.push(message),
    onLoss: () => void (seen.lost += 1),
    ownPid: () => null,
    isOwnWanted: () => true,
    killOwn: () => undefined,
    say: (sentence) => void seen.said.push(sentence),
  });
  const sockets: Socket[] = [];
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  /** Resolves when it is connected or turned away. */
  const link = async (): Promise<Socket> => {
    const socket = connect({ path });
    sockets.push(socket);
    socket.on("error", () => undefined);
    await new Promise((done) => socket.once("connect", done).once("close", done));
    return socket;
  };
  return { seen, server, link };
}

test("twenty thousand greetings are one, and the link is cut", async (context) => {
  const { seen, link } = await opened(context);
  const gate = await link();
  gate.write(Buffer.concat(Array.from({ length: FLOOD }, () => frame(HELLO))));
  assert.equal(await eventually(async () => seen.lost, 1, LIMIT_MS), 1);
  assert.equal(seen.greeted, 1);
});

test("twenty thousand messages in one breath are heard in their order, and none is lost", async (context) => {
  const { seen, link } = await opened(context);
  const gate = await link();
  gate.write(frame(HELLO));
  gate.write(Buffer.concat(Array.from({ length: FLOOD }, (_, id) => frame({ ...PIN, id }))));
  await eventually(async () => seen.heard.length, FLOOD, LIMIT_MS);
  assert.deepEqual(
    seen.heard.map((one) => (one.kind === "pin" ? one.id : -1)),
    Array.from({ length: FLOOD }, (_, id) => id),
  );
});

test("between two steps no more is heard than a step holds and one read brings", async (context) => {
  const { seen, link } = await opened(context);
  const gate = await link();
  gate.write(frame(HELLO));
  const heavy = frame({ ...PIN, addresses: Array.from({ length: 128 }, () => "192.0.2.1") });
  const count = 2_000;
  gate.write(Buffer.concat(Array.from({ length: count }, () => heavy)));
  // A pause is a moment in which nothing is heard though there is more: heavy messages need many of them.
  let pauses = 0;
  let before = -1;
  await eventually(
    async () => {
      if (seen.heard.length === before && before < count) pauses += 1;
      before = seen.heard.length;
      return before;
    },
    count,
    LIMIT_MS,
  );
  assert.equal(seen.heard.length, count);
  assert.ok(pauses > 10, `${pauses} pauses`);
});

test("who does not read the answers is not heard any more, and they do not pile up", async (context) => {
  const { seen, server, link } = await opened(context);
  const gate = await link();
  gate.pause();
  gate.write(frame(HELLO));
  let answered = 0;
  const timer = setInterval(() => {
    for (; answered < seen.heard.length; answered += 1)
      server.send({ kind: "pinned", id: answered, ok: true });
  }, 1);
  context.after(() => clearInterval(timer));
  gate.write(Buffer.concat(Array.from({ length: FLOOD * 5 }, (_, id) => frame({ ...PIN, id }))));
  let before = -1;
  // It stands still long before the end.
  const standsStill = async () => {
    const still = seen.heard.length === before && before > 0;
    before = seen.heard.length;
    await new Promise((done) => setTimeout(done, 500));
    return still && seen.heard.length === before;
  };
  assert.equal(await eventually(standsStill, true, LIMIT_MS), true);
  assert.ok(seen.heard.length < FLOOD * 5, String(seen.heard.length));
  assert.ok(answered * 40 < WAITING_BYTES_MAX + FLOOD * 5 * 40);
});

for (const [what, bytes] of [
  ["a frame of nothing", Buffer.alloc(4)],
  ["a thousand frames of nothing", Buffer.alloc(4_000)],
  ["a frame that is too long", Buffer.from([1, 0, 1, 0])],
  [
    "a frame of the greatest length that is no message",
    Buffer.concat([Buffer.from([0, 0, 1, 0]), Buffer.alloc(GATE_FRAME_BYTES_MAX, 91)]),
  ],
] as const) {
  test(`is cut: ${what}`, async (context) => {
    const { seen, link } = await opened(context);
    (await link()).write(bytes);
    assert.equal(await eventually(async () => seen.lost, 1, LIMIT_MS), 1);
    assert.equal(seen.heard.length, 0);
  });
}

test("half a frame, byte by byte, is a frame when it is whole", async (context) => {
  const { seen, link } = await opened(context);
  const gate = await link();
  for (const byte of frame(HELLO)) {
    gate.write(Uint8Array.of(byte));
    await new Promise((done) => setImmediate(done));
  }
  assert.equal(await eventually(async () => seen.greeted, 1, LIMIT_MS), 1);
});

test("one gate is linked, however many connect; the door is shut for a moment, and the next one finds it open", async (context) => {
  const { seen, server, link } = await opened(context);
  const gate = await link();
  gate.write(frame(HELLO));
  await eventually(async () => seen.greeted, 1, LIMIT_MS);
  const received: string[] = [];
  gate.on("data", (chunk: Buffer) => {
    received.push((deserialize(chunk.subarray(4)) as { kind: string }).kind);
  });
  const isShut = async () => {
    await Promise.all(Array.from({ length: 100 }, () => link()));
    return seen.said.join().includes("knocks at the gates' socket without end");
  };
  assert.equal(await eventually(isShut, true, LIMIT_MS), true);
  assert.equal(seen.greeted, 1);
  server.send({ kind: "stop" });
  assert.equal(await eventually(async () => received.join(), "stop", LIMIT_MS), "stop");
  gate.destroy();
  await eventually(async () => seen.lost, 1, LIMIT_MS);
  const greets = async () => {
    (await link()).write(frame(HELLO), () => undefined);
    await new Promise((done) => setTimeout(done, 50));
    return seen.greeted;
  };
  assert.equal(await eventually(greets, 2, LIMIT_MS), 2);
});

test("a gate that links and leaves again and again is not set up each time", async (context) => {
  const { seen, link } = await opened(context);
  for (let at = 0; at < 100; at += 1) {
    const gate = await link();
    await new Promise((done) => gate.write(frame(HELLO), () => setTimeout(done, 2)));
    gate.destroy();
    await new Promise((done) => setTimeout(done, 2));
  }
  assert.ok(seen.greeted >= 1 && seen.greeted < 60, String(seen.greeted));
});
