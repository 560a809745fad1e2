/** Caddy's running configuration, over its admin interface; only ever read. */
import { request } from "node:http";

const DEADLINE_MS = 2_000;
const BYTES_MAX = 16 * 1024 * 1024;

/** Returns the running configuration as compact JSON, or undefined when the interface is off or silent. */
export function runningCaddyConfig(admin: string): Promise<string | undefined> {
  if (admin === "off") return Promise.resolve(undefined);
  const socketPath = /^unix\/(\/[^|]+)/.exec(admin)?.[1];
  const [, name = "localhost", port = "2019"] = /^(?:tcp\/)?(.*):(\d+)$/.exec(admin) ?? [];
  const place =
    socketPath === undefined
      ? { host: name === "" ? "localhost" : name, port: Number(port) }
      : { socketPath };
  return new Promise((resolve) => {
    // Over its unix socket Caddy only takes an empty Host.
    const host = socketPath === undefined ? {} : { setHost: false, headers: { Host: "" } };
    const outgoing = request(
      { ...place, path: "/config/", ...host, timeout: DEADLINE_MS, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > BYTES_MAX) outgoing.destroy();
          else chunks.push(chunk);
        });
        response.once("close", () =>
          resolve(
            response.statusCode === 200 ? canonical(Buffer.concat(chunks).toString("utf8")) : undefined,
          ),
        );
      },
    );
    outgoing.once("timeout", () => outgoing.destroy());
    outgoing.once("error", () => resolve(undefined));
    outgoing.end();
  });
}

/** Returns JSON with its keys in order, so that two spellings of the same value are the same text. */
export function canonical(text: string): string | undefined {
  try {
    return JSON.stringify(ordered(JSON.parse(text)));
  } catch {
    return undefined;
  }
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, member]) => [key, ordered(member)] as const);
  return Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1)));
}
