/** The web of the lab: sites without certificates (TLS with a shared key), and a resolver for their names. */
import { createSocket } from "node:dgram";
import type { Socket } from "node:net";
import { createServer } from "node:tls";
import { addressesReply } from "./zone.ts";

/** Nobody trusts this key with anything: it stands for the certificates that a lab cannot buy. */
export const SHARED_KEY = Buffer.from("seawall lab, not a secret");
export const TLS_OPTIONS = { ciphers: "PSK", minVersion: "TLSv1.2", maxVersion: "TLSv1.2" } as const;

const HANDSHAKE_BYTE = 22;

const sites = createServer({ ...TLS_OPTIONS, pskCallback: () => SHARED_KEY }, (socket) => {
  socket.on("error", () => undefined);
  socket.once("data", () => socket.end(page(String(socket.servername))));
});
sites.on("tlsClientError", () => undefined);

/** Goes on with a client that has spoken: TLS, or plain HTTP. */
export function serveWeb(socket: Socket, first: Buffer): void {
  if (first[0] === HANDSHAKE_BYTE) {
    // Paused, so that the TLS side finds what was read already.
    socket.pause();
    socket.unshift(first);
    sites.emit("connection", socket);
    return;
  }
  const host = /^host: *([^\r\n]+)/im.exec(first.toString("latin1"))?.[1] ?? "nobody";
  socket.end(page(host));
}

function page(name: string): string {
  const body = `this is ${name}`;
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
}

/** Starts the resolver; `asked` is told every name that reaches it. */
export function serveZone(
  address: string,
  port: number,
  zone: Readonly<Record<string, readonly string[]>>,
  asked: (name: string) => void,
): Promise<void> {
  const socket = createSocket({ type: "udp4" });
  socket.on("message", (query, peer) => {
    const { name, reply } = addressesReply(query, zone);
    asked(name);
    socket.send(reply, peer.port, peer.address, () => undefined);
  });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ address, port }, () => resolve());
  });
}
