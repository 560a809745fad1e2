/** One end of a TCP connection, as a test reads and writes it. */
import { connect, type Socket } from "node:net";
import type { Place } from "../../src/edge/gate/tcp-door.ts";

export interface Wire {
  readonly socket: Socket;
  readonly send: (bytes: string | Uint8Array) => void;
  /** Sends, and resolves when the kernel has it as a piece of its own. */
  readonly sendPiece: (bytes: string | Uint8Array) => Promise<void>;
  /** Resolves to all that came so far once it matches; rejects when the connection ends before. */
  readonly until: (wanted: RegExp | ((text: string) => boolean)) => Promise<string>;
  /** Resolves once the other side has ended or reset, to what came and how it went. */
  readonly ended: () => Promise<{ readonly text: string; readonly how: "end" | "reset" }>;
  readonly text: () => string;
}

/** Connects. Bytes are read as Latin-1, so that lengths are those of the wire. */
export function connectTo({ address, port }: Place): Promise<Wire> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, allowHalfOpen: true, noDelay: true });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(wireOf(socket));
    });
  });
}

/** Returns a wire that reads from now on. */
export function wireOf(socket: Socket): Wire {
  let text = "";
  let how: "end" | "reset" | null = null;
  const watchers = new Set<() => void>();
  const changed = (): void => {
    for (const watcher of watchers) watcher();
  };
  const finish = (kind: "end" | "reset"): void => {
    // A reset may follow an end; that it came is what counts.
    if (how === null || kind === "reset") how = kind;
    changed();
  };
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
    changed();
  });
  socket.on("error", () => finish("reset"));
  socket.on("end", () => finish("end"));
  socket.on("close", () => finish(how ?? "end"));
  const when = <Result>(look: () => Result | undefined): Promise<Result> =>
    new Promise((resolve, reject) => {
      const watcher = (): void => {
        try {
          const found = look();
          if (found === undefined) return;
          watchers.delete(watcher);
          resolve(found);
        } catch (cause) {
          watchers.delete(watcher);
          reject(cause);
        }
      };
      watchers.add(watcher);
      watcher();
    });
  return {
    socket,
    send: (bytes) => void socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes),
    sendPiece: (bytes) =>
      new Promise((resolve, reject) => {
        socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes, (error) => {
          if (error) reject(error);
          else setImmediate(resolve);
        });
      }),
    until: (wanted) =>
      when(() => {
        if (typeof wanted === "function" ? wanted(text) : wanted.test(text)) return text;
        if (how !== null) throw new Error(`${how} after ${JSON.stringify(text)}`);
        return undefined;
      }),
    ended: () => when(() => (how === null ? undefined : { text, how })),
    text: () => text,
  };
}
