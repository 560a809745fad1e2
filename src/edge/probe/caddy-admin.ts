/** Caddy's running configuration, over its admin interface; only ever read. */
import { request } from "node:http";

const DEADLINE_MS = 2_000;
const BYTES_MAX = 16 * 1024 * 1024;

/** Returns the running configuration as compact JSON, or undefined when the interface is off or silent. */
export function runningCaddyConfig(admin: string): Promise<string | undefined> {
  if (admin === "off") return Promise.resolve(undefined);
  const socketPath = /^unix\/(\/[^|]+)/.exec(admin)?.[1];
  const [, host = "localhost", port = "2019"] = /^(?:tcp\/)?(.*):(\d+)$/.exec(admin) ?? [];
  const place =
    socketPath === undefined
      ? { host: host === "" ? "localhost" : host, port: Number(port) }
      : { socketPath };
  return new Promise((resolve) => {
    // Over its unix socket Caddy only takes an empty Host.
    const headers = socketPath === undefined ? {} : { host: "" };
    const outgoing = request(
      { ...place, path: "/config/", headers, timeout: DEADLINE_MS, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > BYTES_MAX) outgoing.destroy();
          else chunks.push(chunk);
        });
        response.once("close", () =>
          resolve(response.statusCode === 200 ? compact(Buffer.concat(chunks).toString("utf8")) : undefined),
        );
      },
    );
    outgoing.once("timeout", () => outgoing.destroy());
    outgoing.once("error", () => resolve(undefined));
    outgoing.end();
  });
}

function compact(text: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return undefined;
  }
}
