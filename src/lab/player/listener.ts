import { createSocket } from "node:dgram";
import { createServer, type Socket } from "node:net";
import { serveWeb } from "./web.ts";

/** What services of this process took: the source port of every connection and datagram. */
export interface Services {
  readonly listen: (
    name: string,
    tcp: readonly number[],
    udp: readonly number[],
    address: string,
  ) => Promise<void>;
  readonly stall: (port: number) => Promise<void>;
  readonly drain: (port: number, quietMs: number) => Promise<Record<string, number>>;
  readonly heard: (peerPort: number) => boolean;
  /** How many connections and datagrams the services took so far. */
  readonly taken: () => number;
}

const BACKLOG = 512;

/** The source ports of those who came, and how many came. */
class Peers extends Set<number> {
  taken = 0;

  override add(port: number): this {
    this.taken += 1;
    return super.add(port);
  }
}

/** Returns services that say their name and echo whatever they are told. */
export function openServices(): Services {
  const peers = new Peers();
  const stalled = new Map<number, Socket[]>();
  return {
    listen: async (name, tcp, udp, address) => {
      for (const port of tcp) await listenTcp(port, address, (socket) => greet(socket, name, peers));
      for (const port of udp) {
        await listenUdp("udp4", port, address === "::" ? "0.0.0.0" : address, name, peers);
        if (address === "::") await listenUdp("udp6", port, "::", name, peers);
      }
    },
    stall: async (port) => {
      const waiting: Socket[] = [];
      stalled.set(port, waiting);
      await listenTcp(
        port,
        "::",
        (socket) => {
          socket.on("error", () => undefined);
          socket.write("slow\n");
          waiting.push(socket);
        },
        true,
      );
    },
    drain: (port, quietMs) => drain(stalled.get(port) ?? [], quietMs),
    heard: (peerPort) => peers.has(peerPort),
    taken: () => peers.taken,
  };
}

function greet(socket: Socket, name: string, peers: Peers): void {
  peers.add(socket.remotePort ?? 0);
  socket.on("error", () => undefined);
  socket.setNoDelay(true);
  if (socket.localPort === 80 || socket.localPort === 443) return welcome(socket, name);
  socket.write(`${name}\n`);
  socket.pipe(socket);
}

/** On web ports the client may be the one to speak first; who says nothing is greeted. */
function welcome(socket: Socket, name: string): void {
  const timer = setTimeout(() => {
    socket.off("data", serve);
    socket.write(`${name}\n`);
    socket.pipe(socket);
  }, SILENT_MS);
  const serve = (first: Buffer): void => {
    clearTimeout(timer);
    serveWeb(socket, first);
  };
  socket.once("data", serve);
  socket.once("close", () => clearTimeout(timer));
}

const SILENT_MS = 40;

function listenTcp(
  port: number,
  address: string,
  take: (socket: Socket) => void,
  paused = false,
): Promise<void> {
  const server = createServer({ pauseOnConnect: paused }, take);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: address, port, backlog: BACKLOG }, () => resolve());
  });
}

function listenUdp(
  type: "udp4" | "udp6",
  port: number,
  address: string,
  name: string,
  peers: Peers,
): Promise<void> {
  const socket = createSocket({ type, ipv6Only: type === "udp6" });
  socket.on("message", (_, peer) => {
    peers.add(peer.port);
    socket.send(name, peer.port, peer.address, () => undefined);
  });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ port, address }, () => resolve());
  });
}

/** Reads until nothing came for `quietMs`. */
function drain(sockets: readonly Socket[], quietMs: number): Promise<Record<string, number>> {
  const bytes: Record<string, number> = {};
  return new Promise((resolve) => {
    let timer = setTimeout(() => resolve(bytes), quietMs);
    for (const socket of sockets) {
      const key = String(socket.remotePort);
      bytes[key] = 0;
      socket.on("data", (chunk) => {
        bytes[key] = (bytes[key] ?? 0) + chunk.length;
        clearTimeout(timer);
        timer = setTimeout(() => resolve(bytes), quietMs);
      });
      socket.resume();
    }
  });
}
