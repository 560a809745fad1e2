// A gate that is taken over: takes the place of the real one and says to seawalld what it is told to.
import { VERSION } from "../../../../src/core/base/version.ts";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { deserialize } from "node:v8";
import type { HostileAsk, Linked } from "../hostile.ts";

const PATH = "/run/seawall/gate.sock";
/** A link on which seawalld says something was taken; one that it closes was not. */
const TAKEN_WAIT_MS = 1_000;
const RETRY_MS = 10;
const ANSWER_WAIT_MS = 3_000;

interface FromDaemon {
  readonly kind: string;
  readonly id: number;
  readonly ok?: boolean;
}

let socket: Socket | null = null;
let sent = 0;
/** What it answers to a setup; null: nothing. */
let trouble: readonly string[] | null = [];
const answers = new Map<number, (ok: boolean) => void>();

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, ask } = JSON.parse(line) as { id: number; ask: HostileAsk };
  answer(ask).then(
    (value) => process.stdout.write(`${JSON.stringify({ id, value })}\n`),
    (error: unknown) => process.stdout.write(`${JSON.stringify({ id, error: String(error) })}\n`),
  );
});

async function answer(ask: HostileAsk): Promise<unknown> {
  switch (ask.do) {
    case "link":
      return link(ask.forMs);
    case "pin":
      return pin(ask.wish);
    case "frame":
      return frame(Buffer.from(ask.base64, "base64"), ask.header);
    case "flood":
      return flood(ask.texts, ask.forMs, ask.deaf);
    case "answer":
      trouble = ask.trouble;
      return true;
    case "leave":
      socket?.destroy();
      socket = null;
      return true;
  }
}

/** Tries until seawalld keeps it: the real gate tries, too. */
async function link(forMs: number): Promise<Linked> {
  const untilMs = performance.now() + forMs;
  let code = "none";
  while (performance.now() < untilMs) {
    const made = connect({ path: PATH });
    made.on("error", (error: NodeJS.ErrnoException) => (code = error.code ?? error.message));
    await new Promise((done) => made.once("connect", done).once("close", done));
    socket = made;
    made.once("close", () => {
      socket = null;
      for (const end of answers.values()) end(false);
    });
    const isTaken = new Promise((done) => {
      made.once("data", () => done(true)).once("close", () => done(false));
      setTimeout(() => done(false), TAKEN_WAIT_MS);
    });
    listen(made);
    write(JSON.stringify({ kind: "hello", pid: process.pid, version: VERSION }));
    if ((await isTaken) === true) return { linked: true, code };
    made.destroy();
    await sleep(RETRY_MS);
  }
  return { linked: false, code };
}

/** Behaves where it must, so that it keeps its place. */
function listen(from: Socket): void {
  let held: Buffer = Buffer.alloc(0);
  from.on("data", (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    while (held.length >= 4 && held.length >= 4 + held.readUInt32LE()) {
      const message = deserialize(held.subarray(4, 4 + held.readUInt32LE())) as FromDaemon;
      held = held.subarray(4 + held.readUInt32LE());
      if (message.kind === "ping") write(JSON.stringify({ kind: "pong", id: message.id }));
      if (message.kind === "setup" && trouble !== null)
        write(JSON.stringify({ kind: "ready", id: message.id, trouble }));
      if (message.kind === "pinned") answers.get(message.id)?.(message.ok === true);
    }
  });
}

function write(text: string): boolean {
  const content = Buffer.from(text);
  const header = Buffer.alloc(4);
  header.writeUInt32LE(content.length);
  return socket?.write(Buffer.concat([header, content])) ?? false;
}

/** Resolves to what seawalld says, or that it said nothing, or that it cut the link. */
function pin(wish: object): Promise<"pinned" | "not pinned" | "no answer" | "cut"> {
  sent += 1;
  const id = sent;
  return new Promise((done) => {
    if (socket === null) return done("cut");
    const timer = setTimeout(() => done("no answer"), ANSWER_WAIT_MS);
    answers.set(id, (ok) => {
      clearTimeout(timer);
      answers.delete(id);
      done(ok ? "pinned" : socket === null ? "cut" : "not pinned");
    });
    write(JSON.stringify({ kind: "pin", id, ...wish }));
  });
}

/** Sends bytes as they are; resolves to whether the link is still there a moment later. */
async function frame(content: Buffer, header: number | null): Promise<"open" | "cut"> {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header ?? content.length);
  socket?.write(Buffer.concat([length, content]));
  await sleep(300);
  return socket === null ? "cut" : "open";
}

/** Sends as fast as it can; `deaf`: reads nothing of what comes back. Resolves to how many were sent. */
async function flood(texts: readonly string[], forMs: number, deaf: boolean): Promise<number> {
  const untilMs = performance.now() + forMs;
  if (deaf) socket?.pause();
  let count = 0;
  while (performance.now() < untilMs && socket !== null) {
    const flows = write(texts[count % texts.length] ?? "");
    count += 1;
    if (flows) continue;
    await new Promise((done) => {
      socket?.once("drain", done).once("close", done);
      setTimeout(done, 50);
    });
  }
  socket?.resume();
  return count;
}
