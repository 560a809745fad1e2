/**
 * Which connections a policy takes over from another one although no packet of theirs would be admitted now: a name
 * admitted them, both policies name it alike, and where the name was has been forgotten since (an address is pinned
 * for as long as its DNS answer lives, a connection may be open for days).
 */
import { pinSets } from "../compile/nftables/gate.ts";
import { generationOfMark, markOf, SCOPE_GATE, SCOPE_INBOUND, SCOPE_MASK } from "../compile/nftables/mark.ts";
import { type ConntrackEntry, isTranslatedTo } from "../event/decode/conntrack.ts";
import type { FlowProtocol } from "../net/flow.ts";
import { parseIp } from "../net/ip.ts";
import { evaluator } from "../policy/evaluate.ts";
import { allowsOf, decidesByName, directServices } from "../policy/gated.ts";
import { matchesServices } from "../policy/service-match.ts";
import type { ResolvedPolicy } from "../policy/resolved.ts";

export interface Stamped {
  readonly policy: ResolvedPolicy;
  readonly generation: number;
}

const PROTOCOLS = new Map<number, FlowProtocol>([
  [6, "tcp"],
  [17, "udp"],
]);

/**
 * Returns a function that gives the field of the mark with which an entry of one policy lives on under the other, or
 * null: it has to be judged. INVARIANT: only what a name and nothing else can have admitted is taken over. LIMIT: which
 * of several rules for one port it was is not known, so all of them must be the same in both.
 */
export function createCarrier(
  from: Stamped,
  to: Stamped,
  nowMs: number,
): (entry: ConntrackEntry) => number | null {
  const evaluates = [evaluator(from.policy), evaluator(to.policy)];
  const enforced = [from, to].every(({ policy }) => policy.mode.outbound === "enforce");
  return ({ original, status, mark }) => {
    const index = (mark & SCOPE_MASK) >>> 24;
    const protocol = PROTOCOLS.get(original.protocol);
    const address = parseIp(original.destination);
    if (!enforced || protocol === undefined || address === undefined) return null;
    if (generationOfMark(mark) !== from.generation || isTranslatedTo(status)) return null;
    if (index === SCOPE_INBOUND || index >= SCOPE_GATE) return null;
    const scope = from.policy.scopes.find((one) => one.index === index)?.name;
    const now = to.policy.scopes.find(({ name }) => name === scope);
    if (scope === undefined || now === undefined) return null;
    const port = original.destinationPort;
    const flow = { direction: "outbound", scope, host: null, address, protocol, port } as const;
    if (!evaluates.every((evaluate) => evaluate(flow, nowMs).reason === "default")) return null;
    return isNamedAlike(from.policy, to.policy, { scope, protocol, port })
      ? markOf(to.generation, now.index)
      : null;
  };
}

interface Asked {
  readonly scope: string;
  readonly protocol: FlowProtocol;
  readonly port: number;
}

function isNamedAlike(from: ResolvedPolicy, to: ResolvedPolicy, asked: Asked): boolean {
  const before = admitting(from, asked);
  const after = admitting(to, asked);
  if (before === null || after === null || before.length === 0) return false;
  const denied = new Set(namesDenied(from, asked.scope));
  return (
    before.every((set) => after.includes(set)) && namesDenied(to, asked.scope).every((one) => denied.has(one))
  );
}

/** Returns the sets of the rules by name that admit such a connection, or null when something else may as well. */
function admitting(policy: ResolvedPolicy, { scope, protocol, port }: Asked): string[] | null {
  const sets = pinSets(policy, scope);
  const found: string[] = [];
  for (const rule of allowsOf(policy, scope)) {
    if (rule.containers.length > 0 && matchesServices(rule.services, protocol, port)) return null;
    const set = sets.direct.get(rule.id);
    if (set === undefined || !matchesServices(directServices(rule.services), protocol, port)) continue;
    if (rule.expiresMs !== null) return null;
    found.push(set[4]);
  }
  return found;
}

function namesDenied({ outbound }: ResolvedPolicy, scope: string): string[] {
  return (outbound ?? [])
    .filter(({ action, mode, scopes }) => action === "deny" && mode === "enforce" && scopes.includes(scope))
    .filter(decidesByName)
    .map(({ names, publicWeb, services }) => JSON.stringify([names, publicWeb, services]));
}
