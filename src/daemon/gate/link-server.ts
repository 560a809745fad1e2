/** The daemon's end of the connection to the gates: one gate at a time, root's word outwards, strict reading inwards. */
import { chmodSync, chownSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { performance } from "node:perf_hooks";
import { serialize } from "node:v8";
import { type FromGate, GATE_FRAME_BYTES_MAX, parseFromGate, type ToGate } from "../../core/gate/message.ts";
import { holdPeer, type PeerProcess } from "../../edge/kernel/peer-process.ts";
import { readFrames, writeFrame } from "../../edge/socket/frame.ts";
import { createDoorKeeper, DOOR_SHUT_MS } from "./door-keeper.ts";
import { type Conversation, costOf, createConversation, HEARD_PER_STEP_MAX, HEARD_STEP_MS } from "./heard.ts";

export interface LinkServer {
  /** Whether a gate is linked. */
  readonly isLinked: () => boolean;
  /** Asks the gate whether it is well, and ends one that has not answered for HUNG_MS. */
  readonly ping: (nowMs: number) => void;
  readonly send: (message: ToGate) => void;
  /** Cuts the link and kills the process that began it, where the kernel names it for sure. */
  readonly end: () => void;
  readonly close: () => void;
}

export interface LinkServerOptions {
  readonly path: string;
  readonly gateUid: number;
  /** `version`: of the gate, which may be another one than ours after an upgrade. */
  readonly onLink: (version: string) => void;
  readonly onMessage: (message: FromGate) => void;
  readonly onLoss: () => void;
  /** The number of the gate that this seawalld has started and that has not ended. */
  readonly ownPid: () => number | null;
  /** Whether no other gate than that one is taken: the one before it was not believed. */
  readonly isOwnWanted: () => boolean;
  /** Kills the gate that this seawalld started, by its handle. */
  readonly killOwn: () => void;
  readonly say: (sentence: string) => void;
}

/** LIMIT: a gate that says nothing for so long hangs; another one has its ports half a second later. */
const HUNG_MS = 2_000;

/** LIMIT: bytes that wait for a gate to read them before it is heard again. */
const UNHEARD_BYTES_MAX = 256 * 1024;

/** Listens for the gates. Resolves when it does; refuses with the errno. */
export async function openLinkServer(options: LinkServerOptions): Promise<LinkServer> {
  const { path, gateUid, onLoss, say } = options;
  const keeper = createDoorKeeper();
  let linked: GateLink | null = null;
  let isClosed = false;
  const open = (): Promise<void> => listenAt(server, path, gateUid);
  const turnAway = (socket: Socket): void => {
    socket.destroy();
    if (!keeper.turnedAway(performance.now()) || isClosed) return;
    say("somebody knocks at the gates' socket without end; it is closed for a second");
    server.close();
    setTimeout(() => {
      if (!isClosed)
        open().catch((cause: unknown) => say(`the gates' socket stays closed: ${String(cause)}`));
    }, DOOR_SHUT_MS).unref();
  };
  const server: Server = createServer((socket) => {
    socket.on("error", () => undefined);
    if (linked !== null) return turnAway(socket);
    const peer = holdPeer(socket);
    if (peer === null || !isGate(peer, options) || !keeper.admits(performance.now())) {
      peer?.release();
      return turnAway(socket);
    }
    const link = new GateLink(socket, peer, options);
    linked = link;
    socket.once("close", () => {
      link.over();
      linked = null;
      onLoss();
    });
  });
  await open();
  return {
    isLinked: () => linked !== null,
    ping: (nowMs) => linked?.ping(nowMs),
    send: (message) => linked?.send(message),
    end: () => linked?.end(),
    close: () => {
      isClosed = true;
      linked?.socket.destroy();
      server.close();
    },
  };
}

/** A gate that has not given up root yet is root; nobody else is one. One of before us is welcome, unless ours is wanted. */
function isGate({ pid, uid }: PeerProcess, { gateUid, ownPid, isOwnWanted }: LinkServerOptions): boolean {
  const own = isOwnWanted() ? ownPid() : null;
  return (uid === 0 || uid === gateUid) && (own === null || own === pid);
}

/** One gate, for as long as its socket is open. */
class GateLink {
  readonly socket: Socket;
  readonly peer: PeerProcess;
  readonly options: LinkServerOptions;
  readonly conversation: Conversation = createConversation();
  /** Why it is not heard at this moment. */
  readonly pauses = new Set<"deaf" | "full">();
  heard = 0;
  heardSinceMs = 0;
  isAnswered = true;
  silentSinceMs = 0;

  constructor(socket: Socket, peer: PeerProcess, options: LinkServerOptions) {
    this.socket = socket;
    this.peer = peer;
    this.options = options;
    readFrames(socket, GATE_FRAME_BYTES_MAX, (frame) => this.take(frame));
  }

  take(frame: Buffer): void {
    const { socket, options } = this;
    // SECURITY: who does not hear the answers is not asked for more questions; they would pile up here.
    if (socket.writableLength > UNHEARD_BYTES_MAX && !this.pauses.has("deaf")) {
      this.pause("deaf");
      socket.once("drain", () => this.resume("deaf"));
    }
    const message = parseFromGate(frame);
    if (message === undefined || !this.conversation.isDue(message)) return void socket.destroy();
    this.count(costOf(message));
    if (message.kind === "pong") this.isAnswered = true;
    if (message.kind === "hello") options.onLink(message.version);
    else options.onMessage(message);
  }

  /** What is more than a step holds stays in the gate until the next step, and costs nothing here. */
  count(cost: number): void {
    const nowMs = performance.now();
    if (nowMs - this.heardSinceMs >= HEARD_STEP_MS) {
      this.heard = 0;
      this.heardSinceMs = nowMs;
    }
    this.heard += cost;
    if (this.heard < HEARD_PER_STEP_MAX || this.pauses.has("full")) return;
    this.pause("full");
    setTimeout(() => this.resume("full"), HEARD_STEP_MS - (nowMs - this.heardSinceMs)).unref();
  }

  pause(why: "deaf" | "full"): void {
    this.pauses.add(why);
    this.socket.pause();
  }

  resume(why: "deaf" | "full"): void {
    this.pauses.delete(why);
    if (this.pauses.size === 0) this.socket.resume();
  }

  ping(nowMs: number): void {
    if (this.isAnswered) {
      this.isAnswered = false;
      this.silentSinceMs = nowMs;
      this.conversation.asked("ping");
      return this.send({ kind: "ping", health: true });
    }
    if (nowMs - this.silentSinceMs <= HUNG_MS) return;
    this.options.say(`the gate has not answered for ${HUNG_MS / 1_000} s; it is ended`);
    this.end();
  }

  send(message: ToGate): void {
    if (message.kind === "setup") this.conversation.asked("setup");
    writeFrame(this.socket, serialize(message));
  }

  /** SECURITY: never by number: the one that linked may be gone, and its number another process's. */
  end(): void {
    if (!this.peer.kill() && this.options.ownPid() === this.peer.pid) this.options.killOwn();
    this.socket.destroy();
  }

  over(): void {
    this.peer.release();
  }
}

/** Listens where only root and the gates can connect. */
function listenAt(server: Server, path: string, gateUid: number): Promise<void> {
  rmSync(path, { force: true });
  server.removeAllListeners("error");
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      // A gate that could not be taken in comes again.
      server.on("error", () => undefined);
      chownSync(path, 0, gateUid);
      chmodSync(path, 0o660);
      resolve();
    });
  });
}
