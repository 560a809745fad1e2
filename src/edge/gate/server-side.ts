/**
 * The connection to a destination. What comes from there is read into buffers that are used again: at hundreds of
 * megabytes a second new ones would keep the garbage collector busier than the sockets.
 */
import { connect, type Socket } from "node:net";

export interface ServerSide {
  readonly socket: Socket;
  /** Passes on to the client what comes from now on, no faster than the client takes it. Called once. */
  readonly flowTo: (client: Socket) => void;
  /** Shows every chunk before it is passed on, until the function that is returned is called. */
  readonly watch: (look: (chunk: Buffer) => void) => () => void;
}

const BUFFER_BYTES = 65_536;
/** LIMIT: buffers that are kept for the next connection. */
const BUFFERS_KEPT_MAX = 256;
const kept: Buffer[] = [];

function takeBuffer(): Buffer {
  return kept.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
}

function giveBack(buffer: Buffer): void {
  if (kept.length < BUFFERS_KEPT_MAX) kept.push(buffer);
}

/** Starts to connect. Nothing is read before `flowTo`. */
export function openServerSide(host: string, port: number): ServerSide {
  let client: Socket | null = null;
  let look: ((chunk: Buffer) => void) | null = null;
  /** The one that the next read fills. */
  let filling = takeBuffer();
  /** What came before anybody wanted it. */
  const early: Buffer[] = [];

  const pass = (to: Socket, chunk: Buffer, buffer: Buffer | null): boolean => {
    look?.(chunk);
    return to.write(chunk, () => buffer !== null && giveBack(buffer));
  };
  const take = (bytes: number): boolean => {
    const full = filling;
    filling = takeBuffer();
    if (client !== null) return pass(client, full.subarray(0, bytes), full);
    early.push(Buffer.from(full.subarray(0, bytes)));
    giveBack(full);
    return false;
  };
  const socket = connect({
    host,
    port,
    allowHalfOpen: true,
    noDelay: true,
    onread: { buffer: () => filling, callback: take },
  });
  socket.once("close", () => giveBack(filling));
  return {
    socket,
    flowTo: (to) => {
      client = to;
      to.on("drain", () => socket.resume());
      socket.once("end", () => to.end());
      for (const chunk of early.splice(0)) pass(to, chunk, null);
      if (!to.writableNeedDrain) socket.resume();
    },
    watch: (wanted) => {
      look = wanted;
      return () => {
        look = null;
      };
    },
  };
}
