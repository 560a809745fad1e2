import { assert } from "../base/assert.ts";
import { membersOf, valuesOf } from "./field.ts";
import type { Framing, RequestHead } from "./head.ts";
import { formatHostPort } from "./host-port.ts";
import { HTTP_PORT } from "./request-line.ts";

/** Fields that are between two neighbours only (RFC 9110 7.6.1), and those that are written anew here. */
const DROPPED: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "host",
  "http2-settings",
  "keep-alive",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Returns the head for the server: origin-form, the Host of the target, the same framing; without the fields of
 * one hop, those that Connection names, and Proxy-* (which hold the credentials for the proxy). The version stays
 * the client's, because the answer goes back unchanged. No Via is added: a server learns nothing of the proxy.
 * Not for CONNECT, which has no head to forward.
 */
export function forwardHead(head: RequestHead): Uint8Array {
  const { target } = head;
  assert(target.kind !== "authority", "a CONNECT request is a tunnel and never forwarded");
  const host = target.kind === "absolute" ? target.host : head.host;
  const path = target.kind === "asterisk" ? "*" : target.path;
  const lines = [`${head.method} ${path} HTTP/${head.version}`];
  if (host !== null) lines.push(`Host: ${formatHostPort(host, HTTP_PORT)}`);

  const named = new Set(membersOf(head.headers, "connection"));
  for (const { name, value } of head.headers) {
    const lower = name.toLowerCase();
    if (DROPPED.has(lower) || named.has(lower) || lower.startsWith("proxy-")) continue;
    lines.push(`${name}: ${value}`);
  }
  lines.push(...framingLines(head.framing), ...connectionLines(head), "\r\n");
  return Buffer.from(lines.join("\r\n"), "latin1");
}

function framingLines(framing: Framing): readonly string[] {
  switch (framing.kind) {
    case "none":
      return [];
    case "length":
      return [`Content-Length: ${framing.bytes}`];
    case "chunked":
      return ["Transfer-Encoding: chunked"];
  }
}

function connectionLines(head: RequestHead): readonly string[] {
  if (!head.upgrade) return ["Connection: close"];
  return ["Connection: Upgrade", `Upgrade: ${valuesOf(head.headers, "upgrade").join(", ")}`];
}
