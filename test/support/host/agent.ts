// Runs inside a namespace. Reads one JSON request a line on stdin, answers one JSON line on stdout.
// It holds the connections and listeners of its side, so that a test can ask about them later.
import { type Server, type Socket, connect, createServer } from "node:net";
import { createInterface } from "node:readline";
import type { Answer, Hammered, Outcome, Request, Target } from "./agent-request.ts";

const HAMMER_OPEN_LIMIT = 400;
const HAMMER_DEADLINE_MS = 400;

const held = new Map<number, Socket>();
const listeners: Server[] = [];
let hammer: { timer: NodeJS.Timeout; counts: Map<string, Hammered> } | undefined;

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, request } = JSON.parse(line) as { id: number; request: Request };
  answer(request).then(
    (value) => reply({ id, value }),
    (error: unknown) => reply({ id, error: String(error) }),
  );
});

function reply(message: Answer): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

async function answer(request: Request): Promise<unknown> {
  switch (request.do) {
    case "connect":
      return attempt(request, request.deadlineMs);
    case "open":
      return attempt(request, request.deadlineMs, request.key);
    case "exchange":
      return exchange(request.key, request.text, request.deadlineMs);
    case "close":
      held.get(request.key)?.destroy();
      return held.delete(request.key);
    case "listen":
      return listen(request.address, request.port);
    case "hammer-start":
      return startHammer(request.targets, request.everyMs);
    case "hammer-stop":
      return stopHammer();
  }
}

/** Opens one connection. With `key` it stays open under that number, else it is closed at once. */
function attempt(target: Target, deadlineMs: number, key?: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = connect({
      host: target.to,
      port: target.port,
      ...(target.from && { localAddress: target.from }),
    });
    const end = (outcome: Outcome) => {
      clearTimeout(timer);
      if (outcome === "connected" && key !== undefined) held.set(key, socket);
      else socket.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(() => end("timeout"), deadlineMs);
    socket.setNoDelay(true);
    socket.once("connect", () => end("connected"));
    socket.on("error", (error: NodeJS.ErrnoException) => end(outcomeOf(error)));
  });
}

function outcomeOf(error: NodeJS.ErrnoException): Outcome {
  if (error.code === "ECONNREFUSED") return "refused";
  if (error.code === "ECONNRESET" || error.code === "ECONNABORTED" || error.code === "EPIPE") return "reset";
  if (error.code === "ETIMEDOUT") return "timeout";
  if (error.code === "EHOSTUNREACH" || error.code === "ENETUNREACH" || error.code === "EACCES")
    return "unreachable";
  throw error;
}

/** Sends `text` on a held connection and waits until the peer echoes it. */
function exchange(key: number, text: string, deadlineMs: number): Promise<string> {
  const socket = held.get(key);
  if (!socket || socket.destroyed) return Promise.resolve("reset");
  return new Promise((resolve) => {
    let received = "";
    const end = (result: string) => {
      clearTimeout(timer);
      socket.off("data", onText);
      socket.off("close", onClose);
      resolve(result);
    };
    const onText = (chunk: Buffer) => {
      received += chunk.toString();
      if (received.includes(text)) end("echoed");
    };
    const onClose = () => end("reset");
    const timer = setTimeout(() => end("timeout"), deadlineMs);
    socket.on("data", onText);
    socket.once("close", onClose);
    socket.write(text);
  });
}

function listen(address: string, port: number): Promise<true> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.setNoDelay(true);
    socket.pipe(socket);
  });
  listeners.push(server);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: address, port, backlog: 4096 }, () => resolve(true));
  });
}

function startHammer(targets: readonly Target[], everyMs: number): true {
  const counts = new Map<string, Hammered>();
  for (const target of targets)
    counts.set(nameOf(target), { attempts: 0, connected: 0, refused: 0, other: 0 });
  let open = 0;
  const strike = () => {
    for (const target of targets) {
      const count = counts.get(nameOf(target));
      if (!count || open >= HAMMER_OPEN_LIMIT) continue;
      open += 1;
      count.attempts += 1;
      void attempt(target, HAMMER_DEADLINE_MS).then((outcome) => {
        open -= 1;
        if (outcome === "connected") count.connected += 1;
        else if (outcome === "refused") count.refused += 1;
        else count.other += 1;
      });
    }
  };
  hammer = { timer: setInterval(strike, everyMs), counts };
  return true;
}

function stopHammer(): Promise<Record<string, Hammered>> {
  const running = hammer;
  if (!running) return Promise.resolve({});
  clearInterval(running.timer);
  hammer = undefined;
  // The last attempts get their full deadline before they are counted.
  return new Promise((resolve) =>
    setTimeout(() => resolve(Object.fromEntries(running.counts)), HAMMER_DEADLINE_MS + 100),
  );
}

function nameOf(target: Target): string {
  return `${target.to} ${target.port}`;
}
