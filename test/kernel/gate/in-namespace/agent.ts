// A process of one user on the host: does what it is asked, a JSON object a line.
import { createInterface } from "node:readline";
import type { Ask, Said } from "../ask.ts";
import { exchange, listenOn, sendDatagram } from "./exchange.ts";
import { hammer } from "./hammer.ts";
import { load } from "./load.ts";
import { ping } from "./ping.ts";
import { resolve } from "./resolve.ts";
import { stream } from "./stream.ts";

export interface Running {
  readonly look: () => unknown;
  readonly end: () => unknown;
}

const running = new Map<string, Running>();

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, ask } = JSON.parse(line) as { id: number; ask: Ask };
  answer(ask).then(
    (value) => say({ id, value }),
    (error: unknown) =>
      say({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});

function say(said: Said): void {
  process.stdout.write(`${JSON.stringify(said)}\n`);
}

async function answer(ask: Ask): Promise<unknown> {
  switch (ask.do) {
    case "resolve":
      return resolve(ask);
    case "exchange":
      return exchange(ask);
    case "datagram":
      return sendDatagram(ask, ask.text, ask.from);
    case "ping":
      return ping(ask.address);
    case "listen":
      return listenOn(ask, ask.text);
    case "stream": {
      const begun = stream(ask);
      running.set(ask.key, begun);
      return begun.begun;
    }
    case "load":
      running.set(ask.key, load(ask));
      return true;
    case "hammer":
      running.set(ask.key, hammer(ask));
      return true;
    case "look":
      return running.get(ask.key)?.look();
    case "end": {
      const found = running.get(ask.key);
      running.delete(ask.key);
      return found?.end();
    }
  }
}
