/** What may happen to a packet at a hook, over every table there, in the kernel's order. */
import type {
  BaseChain,
  Field,
  Hook,
  Packet,
  Possible,
  Rule,
  Span,
  Table,
  Term,
  Value,
  Verdict,
} from "./model.ts";

/** LIMIT: chains entered from one base chain before the answer is "anything may happen". */
const DEPTH_MAX = 32;

interface Outcomes {
  readonly accept: boolean;
  readonly drop: boolean;
  /** The chain may end without a verdict. */
  readonly goOn: boolean;
}

const ANYTHING: Outcomes = { accept: true, drop: true, goOn: true };

/**
 * Returns what may happen to `packet` at `hook`: every base chain must accept it, the first that drops it ends it.
 * NAT chains give no verdict here.
 */
export function possibleAt(tables: readonly Table[], hook: Hook, packet: Packet): Possible {
  const family = packet.get("family");
  const chains = tables
    .filter((table) => table.family === "inet" || table.family === family)
    .flatMap((table) => table.base.map((base) => ({ table, base })))
    .filter(({ base }) => base.hook === hook && base.type !== "nat")
    .sort((left, right) => left.base.priority - right.base.priority);
  let mayDrop = false;
  for (const { table, base } of chains) {
    const outcome = ofBaseChain(table, base, packet);
    if (!outcome.accept) return { accept: false, drop: true, by: `${table.name} ${base.chain}` };
    mayDrop ||= outcome.drop;
  }
  return { accept: true, drop: mayDrop, by: null };
}

function ofBaseChain(table: Table, base: BaseChain, packet: Packet): { accept: boolean; drop: boolean } {
  const { accept, drop, goOn } = ofChain(table, base.chain, packet, 0);
  return {
    accept: accept || (goOn && base.policy === "accept"),
    drop: drop || (goOn && base.policy === "drop"),
  };
}

function ofChain(table: Table, name: string, packet: Packet, depth: number): Outcomes {
  const rules = table.chains.get(name);
  if (rules === undefined || depth > DEPTH_MAX) return ANYTHING;
  let [accept, drop] = [false, false];
  /** `return`, or the end of a chain gone to: the chain may be left without a verdict before its last rule. */
  let leaves = false;
  for (const rule of rules) {
    const match = matchOf(rule.terms, packet);
    if (match === "no" || rule.verdict === null) continue;
    const outcome = ofVerdict(table, rule.verdict, packet, depth);
    accept ||= outcome.accept;
    drop ||= outcome.drop;
    leaves ||= outcome.leaves;
    if (match === "yes" && !outcome.goOn) return { accept, drop, goOn: leaves };
  }
  return { accept, drop, goOn: true };
}

interface Step extends Outcomes {
  readonly leaves: boolean;
}

function ofVerdict(table: Table, verdict: Verdict, packet: Packet, depth: number): Step {
  const step = (accept: boolean, drop: boolean, goOn: boolean, leaves = false): Step => ({
    accept,
    drop,
    goOn,
    leaves,
  });
  switch (verdict.kind) {
    case "accept":
      return step(true, false, false);
    case "drop":
      return step(false, true, false);
    case "return":
      return step(false, false, false, true);
    case "opaque":
      return step(true, true, true, true);
    case "jump":
      return { ...ofChain(table, verdict.chain, packet, depth + 1), leaves: false };
    case "goto": {
      const { accept, drop, goOn } = ofChain(table, verdict.chain, packet, depth + 1);
      return step(accept, drop, false, goOn);
    }
    case "map":
      return ofMap(table, verdict.entries, packet, depth);
  }
}

type MapEntries = Extract<Verdict, { kind: "map" }>["entries"];

function ofMap(table: Table, entries: MapEntries, packet: Packet, depth: number): Step {
  let all: Step = { accept: false, drop: false, goOn: false, leaves: false };
  for (const { terms, verdict } of entries) {
    const match = matchOf(terms, packet);
    if (match === "no") continue;
    const step = ofVerdict(table, verdict, packet, depth);
    all = {
      accept: all.accept || step.accept,
      drop: all.drop || step.drop,
      goOn: all.goOn || step.goOn,
      leaves: all.leaves || step.leaves,
    };
    if (match === "yes") return all;
  }
  return { ...all, goOn: true };
}

function matchOf(terms: Rule["terms"], packet: Packet): "yes" | "no" | "maybe" {
  let certain = true;
  for (const term of terms) {
    const match = matchTerm(term, packet);
    if (match === "no") return "no";
    if (match === "maybe") certain = false;
  }
  return certain ? "yes" : "maybe";
}

function matchTerm(term: Term, packet: Packet): "yes" | "no" | "maybe" {
  if (term.kind === "opaque") return "maybe";
  const value = packet.get(term.field);
  // INVARIANT: a field that the packet does not have never matches, negated or not (nft(8), implicit dependencies).
  if (value === undefined) return ALWAYS_THERE.has(term.field) ? "maybe" : "no";
  const inside = term.any.some((span) => isWithin(span, value));
  return inside === term.negated ? "no" : "yes";
}

/** Every packet has these; when we do not know them, they may be anything. */
const ALWAYS_THERE: ReadonlySet<Field> = new Set([
  "in",
  "out",
  "protocol",
  "state",
  "mark",
  "original-port",
  "destination-type",
  "nat",
]);

function isWithin({ first, last }: Span, value: Value): boolean {
  if (typeof value === "string" || typeof first === "string" || typeof last === "string") {
    const [name, pattern] = [String(value), String(first)];
    return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
  }
  return value >= first && value <= last;
}

/** A new connection from outside, as it arrives at an interface of this host. */
export interface Arrival {
  readonly family: "ip" | "ip6";
  readonly in: string;
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  readonly source: number | bigint;
  readonly destination?: number | bigint;
}

export function packetOf(arrival: Arrival): Map<Field, Value> {
  const four = arrival.family === "ip";
  const packet = new Map<Field, Value>([
    ["family", arrival.family],
    ["in", arrival.in],
    ["protocol", arrival.protocol],
    ["port", arrival.port],
    ["original-port", arrival.port],
    ["state", "new"],
    ["nat", "none"],
    ["destination-type", "local"],
    ["mark", 0],
    [four ? "source4" : "source6", arrival.source],
  ]);
  if (arrival.destination !== undefined)
    packet.set(four ? "destination4" : "destination6", arrival.destination);
  return packet;
}
