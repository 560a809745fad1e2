/** What the instances of one scope may reach, as the rules of a policy will say it. */
import type { Endpoint } from "../openclaw/endpoint.ts";
import { endpointKey } from "../openclaw/endpoint.ts";
import type { Need } from "../openclaw/gathering.ts";
import { formatIp } from "../net/ip.ts";
import { containsIp } from "../net/prefix-set.ts";
import { resolveGuards } from "../policy/guard.ts";
import { matchesPattern } from "../net/hostname.ts";
import type { ScopePlan } from "./scope.ts";

/** Hosts or addresses that share a port. */
export interface PortGroup {
  readonly port: number;
  readonly to: readonly string[];
  readonly because: readonly string[];
}

export interface Destinations {
  readonly presets: readonly Need<string>[];
  readonly names: readonly PortGroup[];
  readonly addresses: readonly PortGroup[];
  /** Ports of this host's own loopback: the gateway first. Empty for containers, whose loopback is their own. */
  readonly loopback: readonly { readonly port: number; readonly because: readonly string[] }[];
  /** What is not written, and why. */
  readonly left: readonly string[];
}

const GUARDS = resolveGuards([]).filter(({ direction }) => direction === "outbound");

/** Returns the destinations of one scope; what a guard refuses is left out and said. */
export function destinationsOf({ instances, target }: ScopePlan): Destinations {
  const needs = instances.flatMap((instance) => (instance.needs === null ? [] : [instance.needs]));
  const endpoints = merged(
    needs.flatMap((need) => [...need.endpoints, ...proxies(need.proxy)]),
    endpointKey,
  );
  const refused = endpoints.filter(({ value }) => isGuarded(value));
  const kept = endpoints.filter(({ value }) => !isGuarded(value));
  const isContainer = target?.kind === "docker";
  const gateways = needs.map(({ gateway }) => ({
    value: { kind: "loopback", ip: { family: 4, value: 0x7f00_0001 }, port: gateway.port } as const,
    because: ["its own gateway"],
  }));
  const local = isContainer ? [] : [...gateways, ...kept.filter(({ value }) => value.kind === "loopback")];
  return {
    presets: merged(
      needs.flatMap((need) => need.presets),
      (name) => name,
    ).sort((left, right) => presetOrder(left.value, right.value)),
    names: byPort(kept.filter(({ value }) => value.kind === "name")),
    addresses: byPort(kept.filter(({ value }) => value.kind === "private" || value.kind === "public")),
    loopback: merged(local, ({ port }) => String(port))
      .filter(({ value }) => !isGuarded(value))
      .map(({ value, because }) => ({ port: value.port, because })),
    left: [
      ...refused.map(
        ({ value, because }) => `${shownEndpoint(value)} (${because.join(", ")}) is refused by a guard`,
      ),
      ...(isContainer && kept.some(({ value }) => value.kind === "loopback")
        ? ["services on 127.0.0.1 are inside the container and need no rule"]
        : []),
    ],
  };
}

export function shownEndpoint(endpoint: Endpoint): string {
  if (endpoint.kind === "name") return `${endpoint.name}:${endpoint.port}`;
  const ip = formatIp(endpoint.ip);
  return endpoint.ip.family === 6 ? `[${ip}]:${endpoint.port}` : `${ip}:${endpoint.port}`;
}

/** Our own proxy needs no rule: it is part of the gate. */
const OWN_PROXY_PORT = 18_901;

function proxies(proxy: Endpoint | null): Need<Endpoint>[] {
  if (proxy === null || (proxy.kind === "loopback" && proxy.port === OWN_PROXY_PORT)) return [];
  return [{ value: proxy, because: ["proxy.proxyUrl"] }];
}

/** OpenClaw itself first, then by name. */
function presetOrder(left: string, right: string): number {
  if ((left === "openclaw") !== (right === "openclaw")) return left === "openclaw" ? -1 : 1;
  return left < right ? -1 : 1;
}

function isGuarded(endpoint: Endpoint): boolean {
  const { port } = endpoint;
  return GUARDS.some((guard) => {
    const isPort = guard.services.some(({ ports }) => port >= ports.first && port <= ports.last);
    if (endpoint.kind === "name") {
      return guard.names.some((pattern) => matchesPattern(pattern, endpoint.name));
    }
    return isPort && (guard.to === null || containsIp(guard.to, endpoint.ip));
  });
}

function byPort(needs: readonly Need<Endpoint>[]): PortGroup[] {
  const groups = new Map<number, { to: string[]; because: string[] }>();
  for (const { value, because } of needs) {
    const group = groups.get(value.port) ?? { to: [], because: [] };
    group.to.push(value.kind === "name" ? value.name : formatIp(value.ip));
    group.because.push(...because.filter((one) => !group.because.includes(one)));
    groups.set(value.port, group);
  }
  return [...groups]
    .sort(([left], [right]) => left - right)
    .map(([port, { to, because }]) => ({ port, to: to.sort(), because }));
}

function merged<Value>(needs: readonly Need<Value>[], keyOf: (value: Value) => string): Need<Value>[] {
  const found = new Map<string, { value: Value; because: string[] }>();
  for (const { value, because } of needs) {
    const known = found.get(keyOf(value));
    if (known === undefined) found.set(keyOf(value), { value, because: [...because] });
    else known.because.push(...because.filter((one) => !known.because.includes(one)));
  }
  return [...found.values()];
}
