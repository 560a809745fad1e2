/**
 * DNS of a scope with names goes to the gate, whatever server it asks: nothing is refused, and nothing arrives there.
 * `evaluate` says what it is: no way to that server.
 */
import { isLoopback } from "../../src/core/net/ip.ts";
import type { Decision } from "../../src/core/policy/decision.ts";
import { allowsOf, gatedScopes } from "../../src/core/policy/gated.ts";
import type { ResolvedPolicy } from "../../src/core/policy/resolved.ts";
import type { Seen } from "../support/wire/probe.ts";
import type { Atom } from "./atom.ts";

const DNS_PORT = 53;

/** Returns whether a packet belongs to the gate under this policy. */
export function divertedBy(policy: ResolvedPolicy): (atom: Atom, decision: Decision | null) => boolean {
  const gated = new Set(gatedScopes(policy).map(({ name }) => name));
  const byAddress = new Set(
    [...gated].filter((scope) =>
      allowsOf(policy, scope).some(
        ({ to, services }) =>
          to.v4.first.length + to.v6.first.length > 0 &&
          services.some(({ ports }) => ports.first <= DNS_PORT && DNS_PORT <= ports.last),
      ),
    ),
  );
  return ({ flow, port, protocol }, decision) => {
    if (flow?.direction !== "outbound" || port !== DNS_PORT || policy.mode.outbound !== "enforce")
      return false;
    if (protocol !== "tcp" && protocol !== "udp") return false;
    return gated.has(flow.scope) && (!byAddress.has(flow.scope) || decision?.reason === "default");
  };
}

/**
 * Whether what was seen is what becomes of a diverted packet: no rule refuses it. To the prober ::1 looks like any
 * place that takes a packet; that none arrives where it was sent to is shown in test/kernel/gate.
 */
export function isDivertedFate(seen: Seen, { destination }: Atom): boolean {
  return seen === "drop" || (seen === "accept" && (destination.family === 6 || isLoopback(destination)));
}
