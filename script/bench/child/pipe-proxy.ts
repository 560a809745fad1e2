/** The least a CONNECT proxy with an allowlist can be in Node: one look-up, one connection, two pipes. */
import { connect, createServer } from "node:net";

const HEAD_BYTES_MAX = 16_384;
const BACKLOG = 4_096;

const [port = "", ...names] = process.argv.slice(2);
const allowed = new Set(names);
const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
  let head: Buffer = Buffer.alloc(0);
  client.on("error", () => client.destroy());
  const read = (chunk: Buffer): void => {
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) {
      if (head.length > HEAD_BYTES_MAX) client.destroy();
      return;
    }
    client.off("data", read);
    client.pause();
    const [, host = "", to = ""] =
      /^CONNECT ([^\s:]+):(\d+) HTTP/.exec(head.toString("latin1", 0, end)) ?? [];
    if (!allowed.has(host)) return void client.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    const origin = connect({ host, port: Number(to), noDelay: true, allowHalfOpen: true }, () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      origin.write(head.subarray(end + 4));
      client.pipe(origin);
      origin.pipe(client);
    });
    origin.on("error", () => client.destroy());
    origin.on("close", () => client.destroy());
    client.on("close", () => origin.destroy());
  };
  client.on("data", read);
});
server.listen(Number(port), "127.0.0.1", BACKLOG);
