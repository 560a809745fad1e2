import { type Field, membersOf, readField, valuesOf } from "./field.ts";
import { type HostPort, parseHostPort, sameHostPort } from "./host-port.ts";
import { createLineScanner } from "./line-scan.ts";
import {
  HTTP_PORT,
  type HttpVersion,
  isToken,
  readRequestLine,
  type RequestLine,
  type RequestProblem,
  type RequestTarget,
} from "./request-line.ts";

export type { RequestProblem, RequestTarget } from "./request-line.ts";
export type { HostPort } from "./host-port.ts";

/** LIMIT: bytes of a request line with its fields and the empty line. */
export const HEAD_BYTES_MAX = 16_384;

export type Framing =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly bytes: number }
  | { readonly kind: "chunked" };

/** A request up to its body (RFC 9112), in which nothing can be read in two ways. */
export interface RequestHead {
  readonly method: string;
  readonly target: RequestTarget;
  readonly version: HttpVersion;
  /** The Host field, port 80 (for CONNECT the target's) when it has none; null: HTTP/1.0 without one. */
  readonly host: HostPort | null;
  readonly headers: readonly Field[];
  readonly framing: Framing;
  /** The client asks for another protocol on this connection (RFC 9110 7.8); never for HTTP/2. */
  readonly upgrade: boolean;
  readonly keepAlive: boolean;
  readonly headBytes: number;
}

export type HeadRead =
  | { readonly kind: "more" }
  | { readonly kind: "head"; readonly head: RequestHead }
  | { readonly kind: "refused"; readonly problem: RequestProblem };

/** Reads one head, whatever pieces it comes in; every byte is looked at once. */
export interface HeadReader {
  /** Returns what is known now, the head at most once. Not to be called after anything but `more`. */
  push(chunk: Uint8Array): HeadRead;
  /** The bytes of the head that was read: a copy. */
  raw(): Uint8Array;
}

/** LIMIT: no registered method is half as long. */
const METHOD_BYTES_MAX = 32;
/** LIMIT: fifteen digits stay exact in a double. */
const LENGTH_PATTERN = /^(?:0|[1-9][0-9]{0,14})$/;
const MORE: HeadRead = { kind: "more" };

/** Returns the request head at the start of `bytes`, or why it is refused. What follows it is not looked at. */
export function readRequestHead(bytes: Uint8Array): HeadRead {
  return createHeadReader().push(bytes);
}

export function createHeadReader(): HeadReader {
  const lines = createLineScanner(HEAD_BYTES_MAX);
  const headers: Field[] = [];
  let requestLine: RequestLine | undefined;
  let methodBytes = 0;
  let isMethodRead = false;

  /** Whether the bytes up to the first space may be a method: other protocols are known at once. */
  const startsLikeHttp = (chunk: Uint8Array): boolean => {
    for (let at = 0; at < chunk.length && !isMethodRead; at += 1) {
      const character = String.fromCharCode(chunk[at] ?? 0);
      if (character === " " && methodBytes > 0) isMethodRead = true;
      else if (methodBytes >= METHOD_BYTES_MAX || !isToken(character)) return false;
      else methodBytes += 1;
    }
    return true;
  };

  return {
    push(chunk) {
      if (!startsLikeHttp(chunk)) return refused("not-http");
      lines.push(chunk);
      for (;;) {
        const line = lines.next();
        if (line.kind === "more") return MORE;
        if (line.kind === "refused") return refused(line.problem);
        if (requestLine === undefined) {
          const read = readRequestLine(line.text);
          if (typeof read === "string") return refused(read);
          requestLine = read;
        } else if (line.text === "") {
          const head = judgeHead(requestLine, headers, lines.lineEnd());
          return typeof head === "string" ? refused(head) : { kind: "head", head };
        } else {
          const field = readField(line.text);
          if (field === undefined) return refused("malformed");
          headers.push(field);
        }
      }
    },
    raw: () => lines.take(lines.lineEnd()),
  };
}

function refused(problem: RequestProblem): HeadRead {
  return { kind: "refused", problem };
}

function judgeHead(
  line: RequestLine,
  headers: readonly Field[],
  headBytes: number,
): RequestHead | RequestProblem {
  const connection = membersOf(headers, "connection");
  const protocols = membersOf(headers, "upgrade");
  if (!connection.every(isToken)) return "malformed";
  // SECURITY: after such an upgrade (RFC 7540 3.2) requests to other hosts would follow that nobody reads.
  if (protocols.some((protocol) => /^(?:h2c?|http\/2)/.test(protocol))) return "http2-cleartext";
  const host = judgeHost(line, headers);
  if (typeof host === "string") return host;
  const framing = judgeFraming(line, headers);
  if (typeof framing === "string") return framing;
  const isModern = line.version === "1.1";
  return {
    ...line,
    host,
    headers,
    framing,
    // RFC 9110 7.8: ignored in HTTP/1.0, and without the connection option.
    upgrade: isModern && line.method !== "CONNECT" && protocols.length > 0 && connection.includes("upgrade"),
    keepAlive: !connection.includes("close") && (isModern || connection.includes("keep-alive")),
    headBytes,
  };
}

/** RFC 9112 3.2. SECURITY: where target and Host differ, this reader and the server could choose differently. */
function judgeHost(
  { target, version }: RequestLine,
  headers: readonly Field[],
): HostPort | null | RequestProblem {
  const [text, ...more] = valuesOf(headers, "host");
  if (more.length > 0) return "duplicate-host";
  if (text === undefined) return version === "1.0" ? null : "no-host";
  const host = parseHostPort(text, target.kind === "authority" ? target.host.port : HTTP_PORT);
  if (host === undefined) return "invalid-host";
  const isNamed = target.kind === "absolute" || target.kind === "authority";
  return isNamed && !sameHostPort(host, target.host) ? "host-mismatch" : host;
}

/** RFC 9112 6.3, without every repair it allows. */
function judgeFraming({ method, version }: RequestLine, headers: readonly Field[]): Framing | RequestProblem {
  const lengths = valuesOf(headers, "content-length");
  const codings = valuesOf(headers, "transfer-encoding");
  if (lengths.length + codings.length > 1) return "ambiguous-length";
  const [length] = lengths;
  const [coding] = codings;
  if (length !== undefined && !LENGTH_PATTERN.test(length)) return "ambiguous-length";
  if (coding !== undefined && version === "1.0") return "ambiguous-length";
  if (coding !== undefined && coding.toLowerCase() !== "chunked") return "unsupported";
  // RFC 9110 9.3.6: CONNECT has no content; what follows it belongs to the tunnel.
  if (method === "CONNECT" && (coding !== undefined || (length ?? "0") !== "0")) return "ambiguous-length";
  if (coding !== undefined) return { kind: "chunked" };
  return length === undefined ? { kind: "none" } : { kind: "length", bytes: Number(length) };
}
