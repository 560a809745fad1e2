import { type CanonicalHost, canonicalHost } from "../net/hostname.ts";
import { formatIp } from "../net/ip.ts";

/** A host that is a name or a strictly spelt address, and a port 1..65535. */
export interface HostPort {
  readonly host: Exclude<CanonicalHost, { readonly kind: "invalid" }>;
  readonly port: number;
}

/** 253 bytes of name or an IPv6 address in brackets, a trailing dot, a colon, five digits; and room. */
const HOST_PORT_CHARS_MAX = 300;

/**
 * Returns the host and port that `text` spells (RFC 3986 3.2 without userinfo, RFC 9110 7.2), or undefined. IPv6
 * stands in brackets; a port has no leading zero. `defaultPort` null: the port must be there (CONNECT).
 */
export function parseHostPort(text: string, defaultPort: number | null): HostPort | undefined {
  if (text.length > HOST_PORT_CHARS_MAX) return undefined;
  const colon = text.startsWith("[") ? text.indexOf("]") + 1 : text.indexOf(":");
  if (text.startsWith("[") && colon === 0) return undefined;
  const hostText = colon < 0 ? text : text.slice(0, colon);
  const portText = colon < 0 ? "" : text.slice(colon);
  // SECURITY: bytes above 127 are here one character each; as a name they would not be what a server reads.
  if (!/^[\x21-\x7e]+$/.test(hostText)) return undefined;
  const port = portText === "" ? defaultPort : parsePort(portText);
  if (port === null || port === undefined) return undefined;
  const host = canonicalHost(hostText);
  return host.kind === "invalid" ? undefined : { host, port };
}

function parsePort(text: string): number | undefined {
  if (!/^:[1-9][0-9]{0,4}$/.test(text)) return undefined;
  const port = Number(text.slice(1));
  return port <= 65_535 ? port : undefined;
}

export function sameHostPort(a: HostPort, b: HostPort): boolean {
  return a.port === b.port && formatHost(a) === formatHost(b);
}

/** Returns the text for a Host field or a CONNECT target; a port equal to `defaultPort` is left out. */
export function formatHostPort(hostPort: HostPort, defaultPort: number | null): string {
  const host = formatHost(hostPort);
  return hostPort.port === defaultPort ? host : `${host}:${hostPort.port}`;
}

function formatHost({ host }: HostPort): string {
  if (host.kind === "name") return host.name;
  return host.ip.family === 4 ? formatIp(host.ip) : `[${formatIp(host.ip)}]`;
}
