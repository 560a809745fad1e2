/** Which protocol the first bytes of a client are, where they are not what the port is for. */
import type { GateReason } from "../policy/decision.ts";

const HTTP = /^(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE|PRI) /;

/** Returns the reason that names the protocol, or null for bytes that are none of those that are known by sight. */
export function seenProtocol(bytes: Uint8Array): Extract<GateReason, "is-ssh" | "is-http" | "is-tls"> | null {
  const text = String.fromCharCode(...bytes.subarray(0, 8));
  if (text.startsWith("SSH-")) return "is-ssh";
  if (HTTP.test(text)) return "is-http";
  // A handshake record of SSL 3.0 to TLS 1.3.
  return bytes[0] === 0x16 && bytes[1] === 3 ? "is-tls" : null;
}

/** What is said of each on a port that is for something else. */
export const SEEN_PROTOCOL: Readonly<Record<"is-ssh" | "is-http" | "is-tls", string>> = {
  "is-ssh": "it is SSH, which names no host that could be read",
  "is-http": "it is HTTP without TLS, and on this port the name is read from TLS",
  "is-tls": "it is TLS, and on this port the name is read from HTTP",
};
