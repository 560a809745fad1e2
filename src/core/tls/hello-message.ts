import type { Hostname } from "../net/hostname.ts";
import { judgeServerName, readProtocols } from "./extension.ts";

/**
 * `not-tls`: no TLS handshake begins here. `invalid-name`: a name that is no host name (an address, an unknown
 * name type). `duplicate-name`: two names, so that two readers could choose differently.
 */
export type HelloProblem = "not-tls" | "malformed" | "duplicate-name" | "invalid-name" | "too-long";

export type HelloRead =
  /** A prefix of a possible ClientHello. */
  | { readonly kind: "more" }
  | {
      readonly kind: "hello";
      /** Null: the client names no server. */
      readonly serverName: Hostname | null;
      /**
       * With encrypted_client_hello (RFC 9849) `serverName` is the outer one and another may be inside. Browsers
       * send a meaningless one to servers without it (GREASE, section 6.2) that nobody can tell apart.
       */
      readonly hasEch: boolean;
      /** As the client wrote them, byte for character: hostile text. */
      readonly alpn: readonly string[];
    }
  | { readonly kind: "refused"; readonly problem: HelloProblem };

/** Yields how many bytes of the message it needs before it can go on; returns what the message says. */
export type HelloWalk = Generator<number, HelloRead, void>;

export const MALFORMED: HelloRead = { kind: "refused", problem: "malformed" };

const EXTENSION = { serverName: 0, alpn: 16, encryptedClientHello: 0xfe0d } as const;
const VERSION_AND_RANDOM_BYTES = 34;
const SESSION_ID_BYTES_MAX = 32;
/** ECHClientHello.type (RFC 9849 5): outer 0, inner 1. */
const ECH_TYPE_MAX = 1;

/**
 * Walks a ClientHello (RFC 8446 4.1.2, without the handshake header) whose length is that of `body` and which
 * fills up while this runs. A length that reaches past what encloses it is refused when it is read.
 */
export function* judgeHello(body: Uint8Array): HelloWalk {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  let at = VERSION_AND_RANDOM_BYTES;
  if (at + 1 > body.length) return MALFORMED;
  yield at + 1;
  if (view.getUint8(0) !== 3) return MALFORMED;
  const sessionBytes = view.getUint8(at);
  if (sessionBytes > SESSION_ID_BYTES_MAX) return MALFORMED;
  at += 1 + sessionBytes;

  if (at + 2 > body.length) return MALFORMED;
  yield at + 2;
  const cipherBytes = view.getUint16(at);
  if (cipherBytes === 0 || cipherBytes % 2 !== 0) return MALFORMED;
  at += 2 + cipherBytes;

  if (at + 1 > body.length) return MALFORMED;
  yield at + 1;
  const compressionBytes = view.getUint8(at);
  if (compressionBytes === 0) return MALFORMED;
  at += 1 + compressionBytes;

  if (at > body.length) return MALFORMED;
  yield at;
  // TLS 1.2 and before: a hello may end here (RFC 5246 7.4.1.2).
  if (at === body.length) return { kind: "hello", serverName: null, hasEch: false, alpn: [] };
  if (at + 2 > body.length) return MALFORMED;
  yield at + 2;
  if (view.getUint16(at) !== body.length - at - 2) return MALFORMED;
  return yield* judgeExtensions(view, at + 2);
}

function* judgeExtensions(view: DataView, from: number): HelloWalk {
  const seen = new Set<number>();
  let serverName: Hostname | null = null;
  let hasEch = false;
  let alpn: readonly string[] = [];
  let at = from;
  while (at < view.byteLength) {
    if (at + 4 > view.byteLength) return MALFORMED;
    yield at + 4;
    const type = view.getUint16(at);
    const start = at + 4;
    const end = start + view.getUint16(at + 2);
    if (end > view.byteLength) return MALFORMED;
    // RFC 8446 4.2: one of a type. SECURITY: of two names one reader takes the first, another the last.
    if (seen.has(type))
      return type === EXTENSION.serverName ? { kind: "refused", problem: "duplicate-name" } : MALFORMED;
    seen.add(type);
    yield end;
    if (type === EXTENSION.serverName) {
      const judged = judgeServerName(view, start, end);
      if (typeof judged !== "string") return { kind: "refused", problem: judged.problem };
      serverName = judged;
    } else if (type === EXTENSION.alpn) {
      const protocols = readProtocols(view, start, end);
      if (protocols === undefined) return MALFORMED;
      alpn = protocols;
    } else if (type === EXTENSION.encryptedClientHello) {
      if (start === end || view.getUint8(start) > ECH_TYPE_MAX) return MALFORMED;
      hasEch = true;
    }
    at = end;
  }
  return { kind: "hello", serverName, hasEch, alpn };
}
