/** A flow as a program wrote it: checked field by field, or a decision that says why it is unusable. */
import type { Flow, FlowProtocol, InboundFlow, OutboundFlow } from "../net/flow.ts";
import { canonicalHost } from "../net/hostname.ts";
import { type Ip, parseIp } from "../net/ip.ts";
import { PORT_MAX } from "../net/port-range.ts";
import type { Decision, ReasonCode } from "./decision.ts";
import { DEFAULT_SCOPE } from "./resolve.ts";
import { WORLD } from "./zone-word.ts";

export type FlowInput =
  | { readonly ok: true; readonly flow: Flow }
  /** Unusable input is refused, never guessed. */
  | { readonly ok: false; readonly decision: Decision };

/** Returns the flow that a record (one line of NDJSON, parsed) describes, or the refusal of an unusable one. */
export function parseFlow(record: unknown): FlowInput {
  if (typeof record !== "object" || record === null || Array.isArray(record)) {
    return invalid("invalid-flow", "a flow is an object with `direction`, `port` and who it is from or to");
  }
  const fields = record as Readonly<Record<string, unknown>>;
  switch (fields["direction"]) {
    case "inbound":
      return parseInbound(fields);
    case "outbound":
      return parseOutbound(fields);
    default:
      return invalid("invalid-flow", "`direction` is `inbound` or `outbound`");
  }
}

function parseInbound(fields: Readonly<Record<string, unknown>>): FlowInput {
  const from = typeof fields["from"] === "string" ? parseIp(fields["from"]) : undefined;
  if (from === undefined) return invalid("invalid-address", "`from` is not an address in strict spelling");
  const protocol = fields["protocol"] ?? "tcp";
  if (!isProtocol(protocol)) return UNKNOWN_PROTOCOL;
  const port = portOf(protocol, fields["port"]);
  if (port < 0) return BAD_PORT;
  const zone = fields["zone"] ?? WORLD;
  if (typeof zone !== "string" || zone === "") return invalid("invalid-zone", "`zone` is the name of a zone");
  const fromPort = fields["fromPort"] ?? null;
  if (fromPort !== null && !isPort(fromPort)) return invalid("invalid-port", "`fromPort` is a port 1..65535");
  const flow: InboundFlow = {
    direction: "inbound",
    from,
    zone,
    protocol,
    port,
    fromPort,
  };
  return { ok: true, flow };
}

function parseOutbound(fields: Readonly<Record<string, unknown>>): FlowInput {
  const protocol = fields["protocol"] ?? "tcp";
  if (!isProtocol(protocol)) return UNKNOWN_PROTOCOL;
  const port = portOf(protocol, fields["port"]);
  if (port < 0) return BAD_PORT;
  const scope = fields["scope"] ?? DEFAULT_SCOPE;
  if (typeof scope !== "string" || scope === "")
    return invalid("invalid-scope", "`scope` is the name of a scope");
  const destination = parseDestination(fields["host"] ?? null, fields["address"] ?? null);
  if (!destination.ok) return destination;
  const flow: OutboundFlow = {
    direction: "outbound",
    scope,
    host: destination.host,
    address: destination.address,
    protocol,
    port,
  };
  return { ok: true, flow };
}

type Destination =
  | { readonly ok: true; readonly host: OutboundFlow["host"]; readonly address: Ip | null }
  | { readonly ok: false; readonly decision: Decision };

function parseDestination(host: unknown, address: unknown): Destination {
  if (host === null && address === null) {
    return invalid("invalid-host", "an outbound flow has `host`, `address` or both");
  }
  const ip = address === null ? null : typeof address === "string" ? parseIp(address) : undefined;
  if (ip === undefined) return invalid("invalid-address", "`address` is not an address in strict spelling");
  if (host === null) return { ok: true, host: null, address: ip };
  const canonical = typeof host === "string" ? canonicalHost(host) : { kind: "invalid" as const };
  switch (canonical.kind) {
    case "name":
      return { ok: true, host: canonical.name, address: ip };
    case "address":
      if (ip !== null && (ip.family !== canonical.ip.family || ip.value !== canonical.ip.value)) {
        return invalid("invalid-host", "`host` is an address, and another one than `address`");
      }
      return { ok: true, host: null, address: canonical.ip };
    case "invalid":
      return invalid("invalid-host", "`host` is neither a host name nor an address in strict spelling");
  }
}

function isProtocol(value: unknown): value is FlowProtocol {
  return value === "tcp" || value === "udp" || value === "icmp" || value === "other";
}

/** Returns the port, 0 for a protocol without ports, or -1 when it is unusable. */
function portOf(protocol: FlowProtocol, port: unknown): number {
  if (protocol !== "tcp" && protocol !== "udp") return 0;
  return isPort(port) ? port : -1;
}

function isPort(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= PORT_MAX;
}

/** Returns the refusal of an unusable flow. */
export function invalid(
  reason: ReasonCode,
  why: string,
): { readonly ok: false; readonly decision: Decision } {
  return { ok: false, decision: { verdict: "refuse", observed: false, rule: null, reason, why } };
}

const UNKNOWN_PROTOCOL = invalid("invalid-protocol", "`protocol` is tcp, udp, icmp or other");
const BAD_PORT = invalid("invalid-port", "`port` is a number 1..65535");
