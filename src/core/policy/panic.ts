/** The policy of a panic: the agents reach nothing, and nothing but SSH comes in. */
import { EMPTY_SET, EVERY_ADDRESS } from "../net/prefix-set.ts";
import { precedence } from "./resolve.ts";
import type { ResolvedInboundRule, ResolvedPolicy, ServiceMatch } from "./resolved.ts";

/** The rule that stands for SSH where the policy lets nobody in for good. */
export const PANIC_SSH = "panic.ssh";

/**
 * Returns what is left of a policy in a panic. Scopes and guards stay; every accepted risk is off. SSH stays as the
 * policy has it; where it does not say who may log in, or only until a time, everybody may ask sshd: a panic must
 * not lock the owner out.
 */
export function panicPolicy(policy: ResolvedPolicy, sshPorts: readonly number[]): ResolvedPolicy {
  const denied = policy.inbound
    .filter(({ action }) => action === "deny")
    .map((rule): ResolvedInboundRule => ({ ...rule, mode: "enforce" }));
  const judged = policy.mode.inbound === "enforce";
  const kept = judged ? policy.inbound.flatMap((rule) => sshOnly(rule, sshPorts)) : [];
  return {
    ...policy,
    mode: { inbound: "enforce", outbound: "enforce" },
    guards: policy.guards.map((guard) => ({ ...guard, liftedUntilMs: null })),
    inbound: precedence(
      [...(judged ? denied : []), ...(kept.length > 0 ? kept : [everybody(sshPorts)])],
      (rule) => rule.rate !== null,
    ),
    outbound: [],
  };
}

function sshOnly(rule: ResolvedInboundRule, sshPorts: readonly number[]): ResolvedInboundRule[] {
  if (rule.action !== "allow" || rule.mode !== "enforce" || rule.expiresMs !== null) return [];
  const services = sshServices(
    sshPorts.filter((port) =>
      rule.services.some(
        ({ protocol, ports }) => protocol !== "udp" && ports.first <= port && port <= ports.last,
      ),
    ),
  );
  return services.length === 0 ? [] : [{ ...rule, services }];
}

function everybody(sshPorts: readonly number[]): ResolvedInboundRule {
  return {
    id: PANIC_SSH,
    action: "allow",
    why: "the owner's way in during a panic",
    owner: null,
    expiresMs: null,
    mode: "enforce",
    denial: "refuse",
    large: false,
    line: 1,
    file: null,
    services: sshServices(sshPorts),
    from: EVERY_ADDRESS,
    fromZones: [],
    except: EMPTY_SET,
    exceptZones: [],
    rate: null,
  };
}

function sshServices(ports: readonly number[]): ServiceMatch[] {
  return ports.map((port) => ({ protocol: "tcp", ports: { first: port, last: port } }));
}
