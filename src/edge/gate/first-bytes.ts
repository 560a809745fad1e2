/** Reads the first bytes of a client until they are understood, for a bounded time, and loses none of them. */
import type { Socket } from "node:net";

/** LIMIT: how long a ClientHello or a request head may take from the first byte of the connection on. */
export const FIRST_BYTES_WAIT_MS = 5_000;
/** LIMIT: how long a tunnel may stay silent before its first byte. */
export const SILENCE_WAIT_MS = 60_000;

export type FirstBytes<Result> =
  | { readonly kind: "read"; readonly result: Result }
  /** `late`: the time was over; `closed`: the client went away first. */
  | { readonly kind: "late" }
  | { readonly kind: "closed" };

export interface FirstBytesOptions<Result> {
  /** Takes one chunk; returns undefined while more is needed. */
  readonly read: (chunk: Buffer) => Result | undefined;
  /** What was read before this. */
  readonly held?: readonly Uint8Array[];
  /** How long the first byte may take; FIRST_BYTES_WAIT_MS when absent. */
  readonly silenceMs?: number;
}

/** Resolves once `read` returns something. The socket is then paused, and nothing after that chunk was taken. */
export function readFirstBytes<Result>(
  socket: Socket,
  { read, held = [], silenceMs = FIRST_BYTES_WAIT_MS }: FirstBytesOptions<Result>,
): Promise<FirstBytes<Result>> {
  return new Promise((resolve) => {
    let isBegun = false;
    const end = (outcome: FirstBytes<Result>): void => {
      clearTimeout(timer);
      socket.off("data", take);
      socket.off("end", closed);
      socket.off("close", closed);
      socket.pause();
      resolve(outcome);
    };
    const late = (): void => end({ kind: "late" });
    const closed = (): void => end({ kind: "closed" });
    let timer = setTimeout(late, silenceMs);
    const take = (chunk: Buffer): void => {
      if (!isBegun) {
        isBegun = true;
        clearTimeout(timer);
        timer = setTimeout(late, FIRST_BYTES_WAIT_MS);
      }
      const result = read(chunk);
      if (result !== undefined) end({ kind: "read", result });
    };
    for (const chunk of held) {
      const result = read(Buffer.from(chunk));
      if (result === undefined) continue;
      end({ kind: "read", result });
      return;
    }
    socket.on("data", take);
    socket.once("end", closed);
    socket.once("close", closed);
    socket.resume();
  });
}
