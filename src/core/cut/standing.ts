/**
 * Judges a connection of the kernel's table by the policy in force. INVARIANT: in doubt it is left: the kernel
 * judges its next packet, and the kernel sees more of it than can be seen here.
 */
import { assert } from "../base/assert.ts";
import { pinSets } from "../compile/nftables/gate.ts";
import {
  cutMarkOf,
  generationOfMark,
  SCOPE_GATE,
  SCOPE_INBOUND,
  SCOPE_MASK,
  SCOPE_REJUDGED,
} from "../compile/nftables/mark.ts";
import { type ConntrackEntry, isTranslatedTo, type Tuple } from "../event/decode/conntrack.ts";
import type { FlowProtocol } from "../net/flow.ts";
import { parseIp } from "../net/ip.ts";
import type { Decision } from "../policy/decision.ts";
import { type Evaluate, evaluator } from "../policy/evaluate.ts";
import { allowsOf, directServices, gatedScopes } from "../policy/gated.ts";
import { gatePorts } from "../policy/gate-port.ts";
import { matchesServices } from "../policy/service-match.ts";
import { WORLD } from "../policy/zone-word.ts";
import type { ResolvedPolicy } from "../policy/resolved.ts";
import type { Around, Whereabouts } from "./around.ts";
import { type Entrance, entrances } from "./entrance.ts";

export type Standing =
  | { readonly kind: "left" }
  /** It ends: it is to carry this field of the mark. */
  | { readonly kind: "ended"; readonly field: number }
  /** What it was diverted to is gone, and the policy allows it without: its next packet is to begin anew. */
  | { readonly kind: "forgotten" };

const LEFT: Standing = { kind: "left" };
const FORGOTTEN: Standing = { kind: "forgotten" };
const UDP = 17;

/**
 * Whether an entry with this mark has to be looked at. The stamp in force answers for itself, unless a rule expires;
 * what was ended stays so until the side that began it sends something that is allowed.
 */
export function mayBeForbidden(mark: number, generation: number): boolean {
  const index = (mark & SCOPE_MASK) >>> 24;
  const stamped = generationOfMark(mark);
  if (stamped === generation) return index === SCOPE_REJUDGED;
  return stamped !== 0 || index === 0;
}

/** Returns a function that judges entries. */
export function createStandingJudge(around: Around): (entry: ConntrackEntry) => Standing {
  const { policy } = around;
  const judge = createFlowJudge(around, evaluator(policy));
  const enter = entrances(policy, around.interfaces);
  const zones = [WORLD, ...policy.zones.map(({ name }) => name)];
  // Where something else than a zone can be entered by, who comes in has to be looked for.
  const onlyZones = around.interfaces.size === 0;
  const isInboundOnly = ({ mark, original }: ConntrackEntry): boolean =>
    (mark & SCOPE_MASK) >>> 24 === SCOPE_INBOUND &&
    (generationOfMark(mark) > 0 || (onlyZones && !around.isOwn(original.source)));
  return (entry) => {
    // Ping and its like: nothing goes on without a packet of the side that began it.
    if (protocolOf(entry.original) === "icmp") return LEFT;
    if (isInboundOnly(entry) && zones.every((zone) => judge.inbound(entry.original, zone))) return LEFT;
    const stood = placeOf(around, entry, enter);
    switch (stood.kind) {
      case "elsewhere":
        return LEFT;
      case "stranger":
        return endedBy(SCOPE_INBOUND);
      case "inbound":
        return stood.zones.some((zone) => judge.inbound(entry.original, zone))
          ? LEFT
          : endedBy(SCOPE_INBOUND);
      case "outbound": {
        const { scope } = stood;
        const index = policy.scopes.find(({ name }) => name === scope)?.index;
        assert(index !== undefined, "a scope of the policy in force");
        const diverted = isDiverted(entry, index);
        if (diverted && gatedScopes(policy).some(({ name }) => name === scope)) return LEFT;
        if (!judge.outbound(entry.original, scope)) return endedBy(index);
        return diverted && entry.original.protocol === UDP ? FORGOTTEN : LEFT;
      }
    }
  };
}

function endedBy(index: number): Standing {
  return { kind: "ended", field: cutMarkOf(index) };
}

type Place =
  /** Not ours to judge. */
  | { readonly kind: "elsewhere" }
  | { readonly kind: "outbound"; readonly scope: string }
  /** It entered by one of these zones. */
  | { readonly kind: "inbound"; readonly zones: readonly string[] }
  /** It comes from containers that no scope names. */
  | { readonly kind: "stranger" };

const HERE: Whereabouts = { kind: "here" };
const ELSEWHERE: Place = { kind: "elsewhere" };

function placeOf(around: Around, { original, mark }: ConntrackEntry, enter: Entrance): Place {
  const generation = generationOfMark(mark);
  const index = (mark & SCOPE_MASK) >>> 24;
  // What the gates send is ended by the gates.
  if (index === SCOPE_GATE) return ELSEWHERE;
  if (index !== SCOPE_INBOUND && index !== SCOPE_REJUDGED) {
    const scope = around.scopeOfStamp(generation, index);
    return scope === null ? ELSEWHERE : { kind: "outbound", scope };
  }
  const from = around.isOwn(original.source) ? HERE : around.whereIs(original.source);
  if (from.kind === "here") {
    const scope = around.ownerOf(original);
    return scope === null ? ELSEWHERE : { kind: "outbound", scope };
  }
  const first = from.kind === "beyond" ? enter(from.link) : null;
  if (first?.kind === "scope") return { kind: "outbound", scope: first.scope };
  if (first?.kind === "stranger") return { kind: "stranger" };
  return inboundPlace(around, original, enter, first);
}

/**
 * The interface that it came by is not remembered. LIMIT: the route back to its source and the address that it came
 * to tell it; where the two differ (policy routing, VPNs) each counts, and one that allows it suffices.
 */
function inboundPlace(
  around: Around,
  { destination }: Tuple,
  enter: Entrance,
  first: ReturnType<Entrance> | null,
): Place {
  const to = around.whereIs(destination);
  if (to.kind === "unknown") return ELSEWHERE;
  // In transit to another network.
  if (to.kind === "beyond" && around.leadsToNetworks(to.link)) return ELSEWHERE;
  const own = to.kind === "here" ? around.linkOf(destination) : null;
  const found = [first, own === null ? null : enter(own)].filter((one) => one !== null);
  const zones = found.flatMap((one) => (one.kind === "zone" ? [one.zone] : []));
  return zones.length === 0 || zones.length < found.length ? ELSEWHERE : { kind: "inbound", zones };
}

interface FlowJudge {
  /** Whether it passes, be it only watched. */
  readonly inbound: (original: Tuple, zone: string) => boolean;
  readonly outbound: (original: Tuple, scope: string) => boolean;
}

function createFlowJudge({ policy, isPinned, nowMs }: Around, evaluate: Evaluate): FlowJudge {
  return {
    inbound: (original, zone) => {
      const from = parseIp(original.source);
      if (from === undefined) return true;
      const { destinationPort: port, sourcePort: fromPort } = original;
      const protocol = protocolOf(original);
      return passes(evaluate({ direction: "inbound", from, zone, protocol, port, fromPort }, nowMs));
    },
    outbound: (original, scope) => {
      const address = parseIp(original.destination);
      if (address === undefined) return true;
      const protocol = protocolOf(original);
      const port = original.destinationPort;
      const decision = evaluate({ direction: "outbound", scope, host: null, address, protocol, port }, nowMs);
      if (passes(decision)) return true;
      // The kernel asks what names have pinned after everything else.
      if (decision.reason !== "default") return false;
      const sets = directSets(policy, scope, protocol, port, address.family, nowMs);
      return sets.some((set) => isPinned(set, original.destination));
    },
  };
}

function passes({ verdict, observed }: Decision): boolean {
  return verdict === "accept" || observed;
}

/** Returns the sets that admit a connection beside the gate, by the address that a name or a container has. */
function directSets(
  policy: ResolvedPolicy,
  scope: string,
  protocol: FlowProtocol,
  port: number,
  family: 4 | 6,
  nowMs: number,
): string[] {
  const sets = pinSets(policy, scope);
  return allowsOf(policy, scope).flatMap((rule) => {
    if (rule.expiresMs !== null && nowMs >= rule.expiresMs) return [];
    const direct = sets.direct.get(rule.id);
    const boxes = sets.containers.get(rule.id);
    const byName = direct !== undefined && matchesServices(directServices(rule.services), protocol, port);
    const byBox = boxes !== undefined && matchesServices(rule.services, protocol, port);
    return [...(byName ? [direct[family]] : []), ...(byBox ? [boxes[family]] : [])];
  });
}

/** Whether its packets go to the gate of a scope. */
function isDiverted({ status, reply }: ConntrackEntry, index: number): boolean {
  if (!isTranslatedTo(status)) return false;
  const { dns, tls, http } = gatePorts(index);
  return [dns, tls, http].includes(reply.sourcePort);
}

function protocolOf({ protocol }: Tuple): FlowProtocol {
  switch (protocol) {
    case 6:
      return "tcp";
    case 17:
      return "udp";
    case 1:
    case 58:
      return "icmp";
    default:
      return "other";
  }
}
