// Runs inside a namespace, as some user. Reads one JSON request a line on stdin, answers one JSON line on stdout. It
// holds TCP and UDP sockets by name and remembers what each received and how it ended.
import { createSocket, type Socket as Datagrams } from "node:dgram";
import { connect, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { Place, TalkerRequest, TalkerState } from "../talker.ts";

interface Held {
  readonly state: { -readonly [Key in keyof TalkerState]: TalkerState[Key] };
  send(text: string, to?: Place): void;
  read(): void;
}

const held = new Map<string, Held>();

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, ask } = JSON.parse(line) as { id: number; ask: TalkerRequest };
  answer(ask).then(
    (value) => reply({ id, value }),
    (error: unknown) => reply({ id, error: String(error) }),
  );
});

function reply(message: unknown): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

async function answer(request: TalkerRequest): Promise<unknown> {
  switch (request.do) {
    case "connect":
      return connected(request);
    case "listen":
      return listening(request);
    case "udp":
      return bound(request);
    case "send":
      return of(request.key).send(request.text.repeat(request.times ?? 1), request.to);
    case "read":
      return of(request.key).read();
    case "exit":
      return process.kill(process.pid, "SIGKILL");
    case "talk": {
      let at = 0;
      const one = of(request.key);
      setInterval(() => {
        at += 1;
        one.send(`<${at}>`);
      }, request.everyMs);
      return true;
    }
    case "state": {
      const { state } = of(request.key);
      return { ...state, silentMs: Date.now() - state.silentMs };
    }
  }
}

function of(key: string): Held {
  const found = held.get(key);
  if (found === undefined) throw new Error(`nothing is called ${key}`);
  return found;
}

function emptyState(): Held["state"] {
  return { received: 0, text: "", missing: 0, ended: null, endedAtMs: null, silentMs: Date.now(), port: 0 };
}

/** Numbers in angle brackets are expected one after the other. */
function take(state: Held["state"], text: string): void {
  state.received += 1;
  state.silentMs = Date.now();
  const before = [...state.text.matchAll(/<(\d+)>/g)].at(-1)?.[1];
  state.text = (state.text + text).slice(-4_000);
  let last = Number(before ?? Number.NaN);
  for (const [, digits] of text.matchAll(/<(\d+)>/g)) {
    const number = Number(digits);
    if (!Number.isNaN(last) && number > last + 1) state.missing += number - last - 1;
    last = number;
  }
}

function keep(key: string, socket: Socket, deaf = false): void {
  const state = emptyState();
  state.port = socket.localPort ?? 0;
  const end = (how: string): void => {
    state.ended ??= how;
    state.endedAtMs ??= Date.now();
  };
  socket.setNoDelay(true);
  const read = (): void => void socket.on("data", (chunk: Buffer) => take(state, chunk.toString())).resume();
  if (!deaf) read();
  socket.on("error", (error: NodeJS.ErrnoException) => end(error.code ?? "error"));
  socket.on("close", () => end("closed"));
  held.set(key, { state, read, send: (text) => void socket.write(text) });
}

function connected({ key, address, port, from, fromPort }: Extract<TalkerRequest, { do: "connect" }>) {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: address,
      port,
      ...(from === undefined ? {} : { localAddress: from }),
      ...(fromPort === undefined ? {} : { localPort: fromPort }),
    });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      keep(key, socket);
      resolve(true);
    });
  });
}

/** What is accepted is called by the key. `deaf`: it is never read. */
function listening({ key, address, port, deaf }: Extract<TalkerRequest, { do: "listen" }>) {
  const server = createServer({ pauseOnConnect: deaf === true }, (socket) => keep(key, socket, deaf));
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: address, port }, () => resolve(true));
  });
}

/** With a peer it is connected. Without, it sends to whoever sent to it last. */
function bound({ key, address, port, peer }: Extract<TalkerRequest, { do: "udp" }>) {
  const socket: Datagrams = createSocket(address.includes(":") ? "udp6" : "udp4");
  const state = emptyState();
  let last: Place | undefined;
  const fail = (error: NodeJS.ErrnoException): void => {
    state.ended ??= error.code ?? "error";
  };
  socket.on("error", fail);
  socket.on("message", (bytes, from) => {
    last = from;
    take(state, bytes.toString());
  });
  held.set(key, {
    state,
    read: () => undefined,
    send: (text, to = last) => {
      if (peer !== undefined) socket.send(text, (error) => error !== null && fail(error));
      else if (to !== undefined)
        socket.send(text, to.port, to.address, (error) => error !== null && fail(error));
    },
  });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ address, port }, () => {
      state.port = socket.address().port;
      if (peer === undefined) return resolve(true);
      socket.connect(peer.port, peer.address, () => resolve(true));
    });
  });
}
