/** Passes requests on to the server that was decided on, step by step, no faster than it takes them. */
import type { Socket } from "node:net";
import type { RequestStream, StreamStep } from "../../core/http/request-stream.ts";
import { readStatus } from "../../core/http/response-head.ts";
import { onEnd, reset } from "./dial.ts";
import type { ServerSide } from "./server-side.ts";

export interface RequestWay {
  readonly client: Socket;
  readonly server: ServerSide;
  readonly stream: RequestStream;
  /** Decides about one step, and writes to the server what may pass. */
  readonly take: (step: StreamStep) => void;
}

/**
 * Starts with the steps that were read already, and goes on with what the client sends. Returns a function that takes
 * steps which come from elsewhere: what the stream held back until an upgrade was answered.
 */
export function relayRequests(
  { client, server, stream, take }: RequestWay,
  begun: readonly StreamStep[],
): (steps: readonly StreamStep[]) => void {
  const takeAll = (steps: readonly StreamStep[]): void => {
    for (const step of steps) take(step);
    if (server.socket.writableNeedDrain) client.pause();
  };
  client.on("data", (chunk: Buffer) => takeAll(stream.push(chunk)));
  server.socket.on("drain", () => client.resume());
  server.flowTo(client);
  takeAll(begun);
  onEnd(client, () => server.socket.end());
  if (!server.socket.writableNeedDrain) client.resume();
  return takeAll;
}

/** Ends both sides at once, so that neither takes what passed for a whole request. */
export function cut({ client, server }: Pick<RequestWay, "client" | "server">): void {
  reset(client);
  reset(server.socket);
}

/** Reads the status of the first answer while it is passed on; null when it is none. */
export function readAnswer(server: ServerSide): Promise<number | null> {
  return new Promise((resolve) => {
    let seen = Buffer.alloc(0);
    const look = (chunk: Buffer): void => {
      seen = Buffer.concat([seen, chunk]);
      const status = readStatus(seen);
      if (status.kind === "more") return;
      stop();
      resolve(status.kind === "status" ? status.code : null);
    };
    const stop = server.watch(look);
    server.socket.once("close", () => resolve(null));
  });
}
