/** Sites on every address: a page that says where it is, and a stream that ticks for as long as somebody listens. */
import { once } from "node:events";
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import { createServer as createTcp } from "node:net";
import { TLSSocket } from "node:tls";
import type { Seen } from "../seen.ts";
import { addressOf } from "./name-server.ts";

const TICK_MS = 50;
/** Where something listens that repeats what it is told. */
const ECHO_PORTS = [22, 853, 9000] as const;
const HTTP_PORTS = [80, 8080] as const;

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** Serves HTTP on 80 and 8080, HTTPS on 443 and 8443, and echoes on what others use. */
export async function serveWeb(certificate: Certificate, report: (seen: Seen) => void): Promise<void> {
  const serve = (request: IncomingMessage, response: ServerResponse): void =>
    answer(request, response, report);
  const servers = [
    ...HTTP_PORTS.map((port) => createHttp(serve).listen(port, "::")),
    ...[443, 8443].map((port) => createHttps(certificate, serve).listen(port, "::")),
    ...ECHO_PORTS.map((port) =>
      createTcp((socket) => {
        socket.on("error", () => socket.destroy());
        socket.pipe(socket);
      }).listen(port, "::"),
    ),
  ];
  for (const server of servers) server.on("tlsClientError", (_error, socket) => socket.destroy());
  await Promise.all(servers.map((server) => once(server, "listening")));
}

function answer(request: IncomingMessage, response: ServerResponse, report: (seen: Seen) => void): void {
  const { socket, headers, url: path = "" } = request;
  const sni = socket instanceof TLSSocket && typeof socket.servername === "string" ? socket.servername : null;
  const address = addressOf(socket);
  const host = headers.host ?? "";
  report({ kind: "request", address, port: socket.localPort ?? 0, sni, host, path });
  if (path !== "/stream") {
    response.end(`REACHED ${host} sni ${sni ?? "-"} at ${address} path ${path}\n`);
    return;
  }
  response.writeHead(200, { "content-type": "text/plain" });
  const timer = setInterval(() => response.write("tick\n"), TICK_MS);
  response.on("close", () => clearInterval(timer));
}
