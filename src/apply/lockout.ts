/** Would this policy cut somebody who is logged in now? Asked before every apply. */
import { SeawallError } from "../core/base/error.ts";
import { formatIp, type Ip, isLoopback } from "../core/net/ip.ts";
import { evaluate } from "../core/policy/evaluate.ts";
import { INNER_INTERFACES, WORLD } from "../core/policy/zone-word.ts";
import type { ResolvedPolicy } from "../core/policy/resolved.ts";
import type { SshConnection } from "../edge/host/ssh-session.ts";

export interface Lockout {
  readonly connection: SshConnection;
  readonly why: string;
}

/** Returns the present SSH connections whose peer could not log in again under this policy. */
export function lockouts(
  policy: ResolvedPolicy,
  connections: readonly SshConnection[],
  interfaceOf: (peer: Ip) => string | null,
  nowMs: number,
): Lockout[] {
  const seen = new Set<string>();
  return connections.flatMap((connection) => {
    const key = `${formatIp(connection.peer)} ${connection.localPort}`;
    if (seen.has(key) || isLoopback(connection.peer)) return [];
    seen.add(key);
    const flow = {
      direction: "inbound",
      from: connection.peer,
      zone: zoneOf(policy, interfaceOf(connection.peer)),
      protocol: "tcp",
      port: connection.localPort,
      fromPort: null,
    } as const;
    const decision = evaluate(policy, flow, nowMs);
    const passes = decision.verdict === "accept" || decision.observed;
    return passes ? [] : [{ connection, why: decision.why }];
  });
}

/** Refuses when somebody would be cut off. */
export function refuseLockout(found: readonly Lockout[]): void {
  const [first] = found;
  if (first === undefined) return;
  const who = `${formatIp(first.connection.peer)} on port ${first.connection.localPort}`;
  const more = found.length > 1 ? ` and ${found.length - 1} more` : "";
  throw new SeawallError(
    "SEAWALL_LOCKOUT",
    `this policy would cut the SSH connection from ${who}${more}: ${first.why}`,
    {
      still: "nothing was changed",
      help: "allow that address and port inbound, or run again with --accept-risk=lose-ssh",
    },
  );
}

/** The zone of an interface: a listed zone, else an inner interface (never judged), else the world. */
function zoneOf(policy: ResolvedPolicy, name: string | null): string {
  if (name === null) return WORLD;
  const matches = (pattern: string): boolean =>
    pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
  const zone = policy.zones.find((one) => one.interfaces.some(matches));
  if (zone !== undefined) return zone.name;
  return INNER_INTERFACES.some(matches) ? "inner" : WORLD;
}
