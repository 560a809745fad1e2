/**
 * The web that OpenClaw meets in the lab's internet: its model, and for every other name a page that says who it is.
 * Its order is the first line of stdin; it says `ready` and ends with its standard input.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import process from "node:process";
import { createInterface } from "node:readline";
import { answerModel } from "../model.ts";
import type { WebOrder } from "../web.ts";

const BODY_BYTES_MAX = 16 * 1024 * 1024;

const lines = createInterface({ input: process.stdin });
lines.once("line", (line) => void serve(JSON.parse(line) as WebOrder));
lines.on("close", () => process.exit(0));

async function serve({ key, certificate, model, http, https }: WebOrder): Promise<void> {
  const answer = (request: IncomingMessage, response: ServerResponse): void =>
    void respond(request, response, model).catch(() => response.destroy());
  const servers = [
    createServer(answer).listen(http, "::"),
    createHttps({ key, cert: certificate }, answer).listen(https, "::"),
  ];
  await Promise.all(servers.map((server) => once(server, "listening")));
  process.stdout.write("ready\n");
}

async function respond(request: IncomingMessage, response: ServerResponse, model: string): Promise<void> {
  const host = request.headers.host ?? "nobody";
  const path = request.url ?? "/";
  const body = await bodyOf(request);
  if (host === model && path.startsWith("/v1/")) return answerModel(body, path, response);
  const page = `<html><head><title>page</title></head><body><p>REACHED ${host}</p></body></html>\n`;
  response.writeHead(200, { "content-type": "text/html" }).end(page);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_BYTES_MAX) throw new Error("a body that is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
