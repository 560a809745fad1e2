/** Which scopes need a gate: those in which a rule that is in force allows by name. */
import { matchesPattern, type Hostname } from "../net/hostname.ts";
import type { Ip } from "../net/ip.ts";
import type { OutboundFlow } from "../net/flow.ts";
import type { Decision } from "./decision.ts";
import { gatePorts } from "./gate-port.ts";
import type { ResolvedOutboundRule, ResolvedPolicy, ResolvedScope, ServiceMatch } from "./resolved.ts";
import { isPublicName } from "../net/public-name.ts";

/** The ports on which the name is read from the connection itself, and not only from DNS. */
export const WEB_PORTS: readonly number[] = [80, 443];

/** Whether a name decides: names, or every public name. Containers are known by address. */
export function decidesByName(rule: ResolvedOutboundRule): boolean {
  return rule.names.length > 0 || rule.publicWeb;
}

/** Returns the allow rules of a scope that are in force; while the direction is only watched that is every one. */
export function allowsOf(policy: ResolvedPolicy, scope: string): ResolvedOutboundRule[] {
  const watching = policy.mode.outbound === "observe";
  return (policy.outbound ?? []).filter(
    (rule) => rule.action === "allow" && rule.scopes.includes(scope) && (watching || rule.mode === "enforce"),
  );
}

/** Returns the allow rules of a scope that wait for the clock and would be in force otherwise. */
export function waitingOf(policy: ResolvedPolicy, scope: string): ResolvedOutboundRule[] {
  return allowsOf({ ...policy, outbound: policy.waiting ?? [] }, scope);
}

/** Whether a gate decides the names of a scope. It also tells what waits for the clock that it waits. */
export function isGated(policy: ResolvedPolicy, scope: string): boolean {
  return allowsOf(policy, scope).some(decidesByName) || waitingOf(policy, scope).some(decidesByName);
}

/** Returns the scopes whose names are decided by a gate. */
export function gatedScopes(policy: ResolvedPolicy): ResolvedScope[] {
  if (policy.outbound === null) return [];
  return policy.scopes.filter((scope) => isGated(policy, scope.name));
}

/** Whether anything of a policy is filled in by the daemon while it is in force: names, or containers. */
export function needsDaemon(policy: ResolvedPolicy): boolean {
  if (policy.outbound === null) return false;
  return policy.scopes.some(
    ({ name }) => isGated(policy, name) || allowsOf(policy, name).some((rule) => rule.containers.length > 0),
  );
}

/** Whether a rule names a host, whatever the ports. */
export function namesHost(rule: ResolvedOutboundRule, host: Hostname): boolean {
  return (
    (rule.publicWeb && isPublicName(host)) || rule.names.some((pattern) => matchesPattern(pattern, host))
  );
}

/** Returns the web ports among the services of an allow. */
export function webPortsOf(services: readonly ServiceMatch[]): number[] {
  return WEB_PORTS.filter((port) =>
    services.some(({ protocol, ports }) => protocol !== "udp" && ports.first <= port && port <= ports.last),
  );
}

/** Returns the services without TCP to the web ports: those are judged by address alone once a name is resolved. */
export function directServices(services: readonly ServiceMatch[]): ServiceMatch[] {
  return services.flatMap(({ protocol, ports }): ServiceMatch[] => {
    if (protocol === "udp") return [{ protocol, ports }];
    const edges = WEB_PORTS.filter((port) => ports.first <= port && port <= ports.last);
    const starts = [ports.first, ...edges.map((port) => port + 1)];
    const ends = [...edges.map((port) => port - 1), ports.last];
    const tcp = starts.flatMap((first, at): ServiceMatch[] => {
      const last = ends[at] ?? first;
      return first <= last ? [{ protocol: "tcp", ports: { first, last } }] : [];
    });
    return protocol === "tcp" ? tcp : [...tcp, { protocol: "udp", ports }];
  });
}

/** Whether the processes of a scope share the loopback with the gate; a container has one of its own. */
export function isOfThisHost({ target }: ResolvedScope): boolean {
  return target.kind !== "docker" && target.kind !== "netns";
}

const PROXY: Decision = {
  verdict: "accept",
  observed: false,
  rule: "host.proxy",
  reason: "host-life",
  why: "the explicit proxy of this scope, which judges by name itself",
};

/** Returns a function that says whether a flow goes to the explicit proxy of its own scope. */
export function proxyLife(policy: ResolvedPolicy): (flow: OutboundFlow) => Decision | null {
  const ports = new Map(
    gatedScopes(policy)
      .filter(isOfThisHost)
      .map(({ name, index }) => [name, gatePorts(index).proxy] as const),
  );
  return ({ scope, address, protocol, port }) =>
    protocol === "tcp" && ports.get(scope) === port && address !== null && isGateAddress(address)
      ? PROXY
      : null;
}

function isGateAddress(address: Ip): boolean {
  return address.family === 4 ? address.value === 0x7f00_0001 : address.value === 1n;
}
