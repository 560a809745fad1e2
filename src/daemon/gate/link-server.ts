/** The daemon's end of the connection to the gates: one gate at a time, root's word outwards, strict reading inwards. */
import { chmodSync, chownSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { serialize } from "node:v8";
import { type FromGate, GATE_FRAME_BYTES_MAX, parseFromGate, type ToGate } from "../../core/gate/message.ts";
import { peerOf } from "../../edge/kernel/socket-option.ts";
import { readFrames, writeFrame } from "../../edge/socket/frame.ts";

export interface LinkServer {
  /** Whether a gate is linked. */
  readonly isLinked: () => boolean;
  /** Asks the gate whether it is well, and ends one that has not answered for HUNG_MS. */
  readonly ping: (nowMs: number) => void;
  readonly send: (message: ToGate) => void;
  readonly close: () => void;
}

export interface LinkServerOptions {
  readonly path: string;
  readonly gateUid: number;
  /** `version`: of the gate, which may be another one than ours after an upgrade. */
  readonly onLink: (version: string) => void;
  readonly onMessage: (message: FromGate) => void;
  readonly onLoss: () => void;
}

/** LIMIT: a gate that says nothing for so long hangs; another one has its ports half a second later. */
const HUNG_MS = 2_000;

/** LIMIT: bytes that wait for a gate to read them before it is heard again. */
const UNHEARD_BYTES_MAX = 256 * 1024;

/** Listens for the gates. Resolves when it does; refuses with the errno. */
export async function openLinkServer({
  path,
  gateUid,
  onLink,
  onMessage,
  onLoss,
}: LinkServerOptions): Promise<LinkServer> {
  let linked: Socket | null = null;
  let isAnswered = true;
  let silentSinceMs = 0;
  let pid = 0;
  const server: Server = createServer((socket) => {
    const peer = peerOf(socket);
    const uid = peer?.uid ?? null;
    // A gate that has not given up root yet is root; nobody else is one.
    if (linked !== null || (uid !== 0 && uid !== gateUid)) return void socket.destroy();
    linked = socket;
    pid = peer?.pid ?? 0;
    isAnswered = true;
    socket.on("error", () => undefined);
    socket.once("close", () => {
      linked = null;
      onLoss();
    });
    readFrames(socket, GATE_FRAME_BYTES_MAX, (frame) => {
      // SECURITY: who does not hear the answers is not asked for more questions; they would pile up here.
      if (socket.writableLength > UNHEARD_BYTES_MAX && !socket.isPaused()) {
        socket.pause();
        socket.once("drain", () => socket.resume());
      }
      const message = parseFromGate(frame);
      if (message === undefined) return void socket.destroy();
      if (message.kind === "pong") isAnswered = true;
      else if (message.kind === "hello") onLink(message.version);
      else onMessage(message);
    });
  });
  await listenAt(server, path, gateUid);
  return {
    isLinked: () => linked !== null,
    ping: (nowMs) => {
      if (linked === null) return;
      if (isAnswered) {
        isAnswered = false;
        silentSinceMs = nowMs;
        writeFrame(linked, serialize({ kind: "ping" } satisfies ToGate));
        return;
      }
      // The pid is the kernel's word, and as long as the socket is open nobody else has it.
      if (nowMs - silentSinceMs > HUNG_MS && pid > 1) kill(pid);
    },
    send: (message) => {
      if (linked !== null) writeFrame(linked, serialize(message));
    },
    close: () => {
      linked?.destroy();
      server.close();
    },
  };
}

/** Listens where only root and the gates can connect. */
function listenAt(server: Server, path: string, gateUid: number): Promise<void> {
  rmSync(path, { force: true });
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

/** It may be gone already. */
function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone.
  }
}
