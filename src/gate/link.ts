/** The gate's end of the connection to seawalld: whole messages in order, pins that wait for their answer. */
import { connect, type Socket } from "node:net";
import { deserialize } from "node:v8";
import { VERSION } from "../core/base/version.ts";
import {
  DAEMON_FRAME_BYTES_MAX,
  type FromGate,
  PIN_ADDRESSES_MAX,
  type ToGate,
} from "../core/gate/message.ts";
import { formatIp } from "../core/net/ip.ts";
import type { Pinner, PinWish } from "../edge/gate/pinner.ts";
import { readFrames, writeFrame } from "../edge/socket/frame.ts";

/** LIMIT: how long the kernel may take for a pin; its answer is then not given. */
const PIN_WAIT_MS = 2_000;
/** LIMIT: bytes that wait to be sent; reports beyond it are left out. */
const SEND_BYTES_MAX = 4 * 1024 * 1024;

export interface Link {
  readonly pinner: Pinner;
  readonly send: (message: FromGate) => void;
  /** Connects to a daemon; resolves when that is done. */
  readonly open: () => Promise<void>;
  /** Ends it for good: an open socket would keep the process. */
  readonly close: () => void;
}

export interface LinkOptions {
  readonly path: string;
  /** Whether the process at the other end is one to obey. */
  readonly isTrusted: (socket: Socket) => boolean;
  readonly onMessage: (message: Exclude<ToGate, { kind: "pinned" }>) => void;
  readonly onClose: () => void;
}

/** Returns a link that is not open yet. */
export function createLink(options: LinkOptions): Link {
  const wishes = new Wishes();
  let socket: Socket | null = null;
  let isOver = false;
  const send = (message: FromGate): void => {
    if (socket === null || (message.kind === "report" && socket.writableLength > SEND_BYTES_MAX)) return;
    writeFrame(socket, Buffer.from(JSON.stringify(message)));
  };
  const take = (frame: Buffer): void => {
    // SECURITY: only root is at the other end; see isTrusted.
    const message = deserialize(frame) as ToGate;
    if (message.kind === "pinned") wishes.answer(message.id, message.ok);
    else options.onMessage(message);
  };
  const lost = (): void => {
    socket = null;
    wishes.lose();
    if (!isOver) options.onClose();
  };
  const pin = async ({ addresses, ...wish }: PinWish): Promise<boolean> => {
    // An answer may hold more addresses than one wish.
    for (let at = 0; at < addresses.length; at += PIN_ADDRESSES_MAX) {
      const some = addresses.slice(at, at + PIN_ADDRESSES_MAX).map(formatIp);
      if (socket === null) return false;
      if (!(await wishes.ask((id) => send({ kind: "pin", id, ...wish, addresses: some })))) return false;
    }
    return true;
  };
  return {
    pinner: { pin },
    send,
    close: () => {
      isOver = true;
      socket?.destroy();
    },
    open: async () => {
      const made = await connectTo(options);
      socket = made;
      made.once("close", lost);
      readFrames(made, DAEMON_FRAME_BYTES_MAX, take);
      send({ kind: "hello", pid: process.pid, version: VERSION });
    },
  };
}

function connectTo({ path, isTrusted }: LinkOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const made = connect({ path });
    made.once("error", reject);
    made.once("connect", () => {
      made.off("error", reject);
      made.on("error", () => undefined);
      if (isTrusted(made)) return resolve(made);
      made.destroy();
      reject(new Error("the process at the other end is not root"));
    });
  });
}

/** Wishes on their way, by number. */
class Wishes {
  readonly waiting = new Map<number, (ok: boolean) => void>();
  last = 0;

  ask(send: (id: number) => void): Promise<boolean> {
    this.last += 1;
    const id = this.last;
    return new Promise((resolve) => {
      const end = (ok: boolean): void => {
        clearTimeout(timer);
        this.waiting.delete(id);
        resolve(ok);
      };
      const timer = setTimeout(() => end(false), PIN_WAIT_MS);
      this.waiting.set(id, end);
      send(id);
    });
  }

  answer(id: number, ok: boolean): void {
    this.waiting.get(id)?.(ok);
  }

  lose(): void {
    for (const end of this.waiting.values()) end(false);
  }
}
