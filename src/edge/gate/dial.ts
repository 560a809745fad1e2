/** Connects to a destination that was decided on, and joins the two sides. */
import type { Socket } from "node:net";
import { formatIp, type Ip } from "../../core/net/ip.ts";
import { openServerSide, type ServerSide } from "./server-side.ts";

/** LIMIT: how long a destination may take to answer. */
export const DIAL_WAIT_MS = 10_000;

export type Dialled =
  | { readonly ok: true; readonly server: ServerSide }
  | { readonly ok: false; readonly code: string };

/** Connects to the first address that answers, one after the other. */
export async function dialFirst(addresses: readonly Ip[], port: number): Promise<Dialled & { address?: Ip }> {
  let failure: Dialled = { ok: false, code: "ENOENT" };
  for (const address of addresses) {
    const dialled = await dial(address, port);
    if (dialled.ok) return { ...dialled, address };
    failure = dialled;
  }
  return failure;
}

/** Connects to one address. The socket stays half-open on purpose: each side ends for itself. */
export function dial(address: Ip, port: number): Promise<Dialled> {
  return new Promise((resolve) => {
    const server = openServerSide(formatIp(address), port);
    const { socket } = server;
    const timer = setTimeout(() => fail("ETIMEDOUT"), DIAL_WAIT_MS);
    const fail = (code: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ ok: false, code });
    };
    const refused = (error: NodeJS.ErrnoException): void => fail(error.code ?? "EIO");
    socket.once("error", refused);
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.off("error", refused);
      resolve({ ok: true, server });
    });
  });
}

/** Joins two sockets that are bound: bytes and ends pass, and nobody is read faster than the other reads. */
export function join(client: Socket, server: ServerSide): void {
  client.pipe(server.socket);
  server.flowTo(client);
}

/** Calls back once a side has sent all; that may have been while the other was still dialled. */
export function onEnd(socket: Socket, then: () => void): void {
  if (socket.readableEnded) then();
  else socket.once("end", then);
}

/** Passes a reset on, and closes what is left when one side is gone. */
export function bind(client: Socket, server: Socket): void {
  for (const [one, other] of [
    [client, server],
    [server, client],
  ] as const) {
    one.on("error", () => reset(other));
    one.on("close", () => {
      // Ended in order: what was sent to the other side is still delivered. Otherwise it would wait for ever.
      if (!other.writableEnded) other.end();
      if (!one.readableEnded) other.destroySoon();
    });
  }
}

/** Ends a connection with a TCP reset, so that the other side has its error at once. */
export function reset(socket: Socket): void {
  if (!socket.destroyed) socket.resetAndDestroy();
}
