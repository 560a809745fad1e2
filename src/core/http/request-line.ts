import { type HostPort, parseHostPort } from "./host-port.ts";

export const HTTP_PORT = 80;

export type RequestTarget =
  /** What a server is sent. */
  | { readonly kind: "origin"; readonly path: string }
  /** What a proxy is sent; `path` is `/` when there is none, `*` for OPTIONS without one (RFC 9112 3.2.4). */
  | { readonly kind: "absolute"; readonly host: HostPort; readonly path: string; readonly scheme: "http" }
  /** CONNECT, and nothing else. */
  | { readonly kind: "authority"; readonly host: HostPort }
  /** OPTIONS, and nothing else. */
  | { readonly kind: "asterisk" };

export type HttpVersion = "1.0" | "1.1";

export type RequestProblem =
  | "malformed"
  | "too-long"
  | "no-host"
  | "duplicate-host"
  | "invalid-host"
  | "host-mismatch"
  | "ambiguous-length"
  | "http2-cleartext"
  | "not-http"
  | "unsupported";

export interface RequestLine {
  readonly method: string;
  readonly target: RequestTarget;
  readonly version: HttpVersion;
}

/** RFC 9110 5.6.2 */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Whether the text is a token (RFC 9110 5.6.2): a method, a field name, a coding. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Returns what a request line (RFC 9112 3, without its CRLF) says, or why it is refused. */
export function readRequestLine(line: string): RequestLine | RequestProblem {
  // RFC 9113 3.4: the preface of HTTP/2 by prior knowledge.
  if (line === "PRI * HTTP/2.0") return "http2-cleartext";
  const [method, targetText, versionText, ...rest] = line.split(" ");
  if (method === undefined || !isToken(method)) return "not-http";
  if (targetText === undefined || versionText === undefined || rest.length > 0) return "malformed";
  if (!/^HTTP\/[0-9]\.[0-9]$/.test(versionText)) return "malformed";
  if (versionText !== "HTTP/1.1" && versionText !== "HTTP/1.0") return "unsupported";
  const target = readTarget(method, targetText);
  if (typeof target === "string") return target;
  return { method, target, version: versionText === "HTTP/1.1" ? "1.1" : "1.0" };
}

function readTarget(method: string, text: string): RequestTarget | RequestProblem {
  // RFC 9112 3.2: visible ASCII; a fragment is never sent.
  if (!/^[\x21-\x7e]+$/.test(text) || text.includes("#")) return "malformed";
  if (method === "CONNECT") {
    const host = parseHostPort(text, null);
    return host === undefined ? "invalid-host" : { kind: "authority", host };
  }
  if (text.startsWith("/")) return { kind: "origin", path: text };
  if (text === "*") return method === "OPTIONS" ? { kind: "asterisk" } : "malformed";
  return readAbsolute(method, text);
}

function readAbsolute(method: string, text: string): RequestTarget | RequestProblem {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text)?.[1];
  if (scheme === undefined) return "malformed";
  if (scheme.toLowerCase() !== "http") return "unsupported";
  const rest = text.slice(scheme.length + 3);
  const end = rest.search(/[/?]/);
  const host = parseHostPort(end < 0 ? rest : rest.slice(0, end), HTTP_PORT);
  if (host === undefined) return "invalid-host";
  const path = end < 0 ? "" : rest.slice(end);
  return { kind: "absolute", host, path: fullPath(method, path), scheme: "http" };
}

function fullPath(method: string, path: string): string {
  if (path === "" && method === "OPTIONS") return "*";
  return path.startsWith("/") ? path : `/${path}`;
}
