import { canonicalHost, type Hostname } from "../net/hostname.ts";
import { isPublicIp } from "../net/address-class.ts";
import { type Ip, isLoopback, parseIp } from "../net/ip.ts";
import { parseNamePattern } from "../net/name-pattern.ts";

/** Where a part of a configuration connects to, over TCP. */
export type Endpoint =
  /** This host itself: a local model, signal-cli. */
  | { readonly kind: "loopback"; readonly ip: Ip; readonly port: number }
  /** A machine of the local network or tailnet. */
  | { readonly kind: "private"; readonly ip: Ip; readonly port: number }
  | { readonly kind: "public"; readonly ip: Ip; readonly port: number }
  | { readonly kind: "name"; readonly name: Hostname; readonly port: number };

export type EndpointParse =
  | { readonly ok: true; readonly endpoint: Endpoint }
  /** Why a policy cannot name it; the text itself is not repeated. */
  | { readonly ok: false; readonly problem: string };

/** LIMIT: characters of a URL that is read. */
const URL_CHARS_MAX = 2048;
const SOCKS_PORT = 1080;
const PORTS: Readonly<Record<string, number>> = {
  "http:": 80,
  "https:": 443,
  "socks4:": SOCKS_PORT,
  "socks5:": SOCKS_PORT,
  "socks5h:": SOCKS_PORT,
  "socks:": SOCKS_PORT,
  "ws:": 80,
  "wss:": 443,
};
/** The beginning of a text that parseEndpoint reads. */
export const ENDPOINT_SCHEME = /^(?:https?|wss?|socks(?:4|5|5h)?):\/\//i;
const LOCALHOST: Ip = { family: 4, value: 0x7f00_0001 };

/**
 * Returns where a URL leads (WHATWG URL; http, https, ws, wss and SOCKS proxies). User, path and query are
 * dropped unread. SECURITY: the URL standard drops tabs and line breaks; who writes them hides something.
 */
export function parseEndpoint(url: string): EndpointParse {
  if (url.length > URL_CHARS_MAX) return { ok: false, problem: `is longer than ${URL_CHARS_MAX} characters` };
  if (/[\u0000-\u0020\u007f]/.test(url)) return { ok: false, problem: "holds a space or control character" };
  if (!URL.canParse(url)) return { ok: false, problem: "is no URL" };
  const { protocol, hostname, port } = new URL(url);
  const usual = PORTS[protocol];
  if (usual === undefined) return { ok: false, problem: "is no address of http, ws or a SOCKS proxy" };
  return endpointOf(hostname, port === "" ? usual : Number(port));
}

/** Returns the endpoint of a host as a URL or a configuration writes it, and a port. */
export function endpointOf(host: string, port: number): EndpointParse {
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    return { ok: false, problem: "has no usable port" };
  const canonical = canonicalHost(host);
  if (canonical.kind === "invalid") return { ok: false, problem: "names no usable host" };
  if (canonical.kind === "address") return { ok: true, endpoint: ofAddress(canonical.ip, port) };
  const { name } = canonical;
  // RFC 6761 6.3: localhost and what stands below it never leave the host.
  if (name === "localhost" || name.endsWith(".localhost")) {
    return { ok: true, endpoint: { kind: "loopback", ip: LOCALHOST, port } };
  }
  const pattern = parseNamePattern(name);
  if (!pattern.ok && pattern.problem === "public-suffix") {
    return { ok: false, problem: `is \`${name}\`, under which anybody can register a name` };
  }
  if (!pattern.ok || pattern.pattern.kind !== "exact") {
    return { ok: false, problem: `is \`${name}\`, a name that only this network knows: allow its address` };
  }
  return { ok: true, endpoint: { kind: "name", name: pattern.pattern.name, port } };
}

function ofAddress(ip: Ip, port: number): Endpoint {
  // 0.0.0.0 and :: as a destination are this host (ip(7)).
  if (isLoopback(ip) || ip.value === 0 || ip.value === 0n) {
    const own = ip.family === 4 ? LOCALHOST : (parseIp("::1") ?? LOCALHOST);
    return { kind: "loopback", ip: isLoopback(ip) ? ip : own, port };
  }
  return { kind: isPublicIp(ip) ? "public" : "private", ip, port };
}

/** Returns a text that is the same for the same endpoint, to find doubles by. */
export function endpointKey(endpoint: Endpoint): string {
  const where = endpoint.kind === "name" ? endpoint.name : `${endpoint.ip.family}/${endpoint.ip.value}`;
  return `${endpoint.kind} ${where} ${endpoint.port}`;
}
