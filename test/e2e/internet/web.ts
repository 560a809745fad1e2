import { once } from "node:events";
import { type IncomingMessage, type ServerResponse, createServer as createHttp } from "node:http";
import { createServer as createHttps } from "node:https";
import { type Socket, createServer as createTcp } from "node:net";
import { TLSSocket } from "node:tls";
import { answerModel } from "../../../src/lab/openclaw/model.ts";
import { addressOf, answerOne } from "./name-server.ts";
import type { Report } from "./seen.ts";
import { MODEL } from "./zone.ts";

const BODY_MAX_BYTES = 16 * 1024 * 1024;
/** Ports on which something listens that answers nobody: arriving there is all that counts. */
const MUTE_PORTS = [22, 853, 4444, 8443] as const;

export type Certificate = { readonly key: string; readonly cert: string };

/** Serves every name on 80 and 443 of every address: the model, DNS over HTTPS, and pages that say where they are. */
export async function serveWeb(certificate: Certificate, report: Report): Promise<void> {
  const serve = (request: IncomingMessage, response: ServerResponse) =>
    void answer(request, response, report);
  const http = createHttp(serve).listen(80, "::");
  const https = createHttps(certificate, serve).listen(443, "::");
  const mute = MUTE_PORTS.map((port) =>
    createTcp((socket) => socket.on("error", () => {})).listen(port, "::"),
  );
  for (const server of [http, https, ...mute]) {
    server.on("connection", (socket: Socket) => {
      report({ kind: "connection", address: addressOf(socket), port: socket.localPort ?? 0 });
    });
  }
  https.on("tlsClientError", (_error, socket) => socket.destroy());
  await Promise.all([http, https, ...mute].map((server) => once(server, "listening")));
}

async function answer(request: IncomingMessage, response: ServerResponse, report: Report): Promise<void> {
  const { socket } = request;
  const sni = socket instanceof TLSSocket ? socket.servername : null;
  const address = addressOf(socket);
  const host = request.headers.host ?? "";
  const path = request.url ?? "";
  const scheme = socket instanceof TLSSocket ? "https" : "http";
  report({ kind: "request", scheme, address, sni: typeof sni === "string" ? sni : null, host, path });
  const body = await bodyOf(request);
  if (host === MODEL && path.startsWith("/v1/")) return answerModel(body, path, response);
  if (path.startsWith("/dns-query")) return answerDns(request, body, response, report);
  if (host.endsWith("openclaw.ai") || host === "clawhub.ai") {
    response.writeHead(404, { "content-type": "application/json" }).end('{"error":"not found"}');
    return;
  }
  const page = `<html><head><title>page</title></head><body><p>REACHED ${host} at ${address}</p></body></html>\n`;
  response.writeHead(200, { "content-type": "text/html" }).end(page);
}

/** RFC 8484: DNS over HTTPS, by GET or POST. */
function answerDns(request: IncomingMessage, body: Buffer, response: ServerResponse, report: Report): void {
  const query = new URL(request.url ?? "", "https://resolver.invalid").searchParams.get("dns");
  const message = query === null ? body : Buffer.from(query, "base64url");
  const reply = answerOne(message, "https", addressOf(request.socket), report);
  if (reply === null) response.writeHead(400).end();
  else response.writeHead(200, { "content-type": "application/dns-message" }).end(reply);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_MAX_BYTES) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
