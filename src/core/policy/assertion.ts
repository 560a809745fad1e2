/**
 * `assert:`, judged by `evaluate` in every corner of the policy (see corner.ts): that judges every address and
 * port that an assertion is about.
 */
import type { Diagnostic, Span } from "../base/diagnostic.ts";
import { formatPattern, matchesPattern, type NamePattern } from "../net/hostname.ts";
import { formatIp, type Ip } from "../net/ip.ts";
import { type Prefix, prefixEnd } from "../net/prefix.ts";
import { EMPTY_SET, EVERY_ADDRESS, subtractSet, unionSets } from "../net/prefix-set.ts";
import { alwaysCorners, type Box, everyPort, neverCorners, type Range, type Seek } from "./corner.ts";
import type { Decision } from "./decision.ts";
import type { AssertEntry, DestinationTerm, PolicyDocument, SourceTerm } from "./document.ts";
import { evaluator, type Evaluate } from "./evaluate.ts";
import { parseFlow } from "./flow-input.ts";
import { worldZones } from "./resolve.ts";
import type { ResolvedInboundRule, ResolvedOutboundRule, ResolvedPolicy } from "./resolved.ts";

/** LIMIT: flows judged for one assertion. One that needs more is refused: what was not judged does not hold. */
const ASSERT_FLOWS_MAX = 100_000;

/** Returns what is wrong with an assertion: it does not hold, or it cannot be judged. Null: it holds. */
export function judgeAssertion(
  entry: AssertEntry,
  document: PolicyDocument,
  policy: ResolvedPolicy,
  nowMs: number,
): Diagnostic | null {
  const who = subjectsOf(entry, document);
  if (who === null) {
    const message = "an assertion names something whose addresses are not in the file";
    return error("assert-unjudgeable", message, "name addresses, prefixes, sets or host names", entry.span);
  }
  const judge = evaluator(policy);
  const enforced = policy.mode[entry.direction] === "enforce";
  let judged = 0;
  for (const flow of flowsOf(entry, who, document, policy)) {
    judged += 1;
    if (judged > ASSERT_FLOWS_MAX) {
      const message = `an assertion covers more than ${ASSERT_FLOWS_MAX} cases of this policy and cannot be judged`;
      return error("assert-unjudgeable", message, "name fewer addresses or ports", entry.span);
    }
    const decision = judgeFlow(judge, flow, nowMs);
    // What is only watched in an enforced direction passes, whatever would be said of it.
    const accepted = decision.verdict === "accept" || (decision.observed && enforced);
    if (accepted !== (entry.kind === "always")) return failed(entry, flow, decision);
  }
  return null;
}

/** A flow as `evaluate` reads it from a line of input. */
type FlowRecord = Readonly<Record<string, string | number>>;

function judgeFlow(judge: Evaluate, flow: FlowRecord, nowMs: number): Decision {
  const parsed = parseFlow(flow);
  return parsed.ok ? judge(parsed.flow, nowMs) : parsed.decision;
}

function failed(entry: AssertEntry, flow: FlowRecord, decision: Decision): Diagnostic {
  const zone = flow["zone"] === undefined || flow["zone"] === "world" ? "" : ` in zone ${flow["zone"]}`;
  const shown = `${flow["from"] ?? flow["host"] ?? flow["address"]}${zone} ${flow["protocol"]}/${flow["port"]}`;
  const verdict = decision.observed ? `${decision.verdict}\`, and only watched` : `${decision.verdict}\``;
  const decides = decision.rule === null ? "the default" : `rule \`${decision.rule}\``;
  const message = `\`${entry.kind}\` does not hold: ${shown} is \`${verdict}`;
  return error("assert-failed", message, `${decides} decides: ${decision.why}`, entry.span);
}

/** What an assertion is about. */
interface Subjects {
  readonly ranges: readonly Range[];
  readonly names: readonly NamePattern[];
}

/** Returns the subjects, or null when part of them cannot be known here. */
function subjectsOf(entry: AssertEntry, document: PolicyDocument): Subjects | null {
  const ranges: Range[] = [];
  const names: NamePattern[] = [];
  const addPrefix = (prefix: Prefix): void => void ranges.push(rangeOf(prefix.base, prefixEnd(prefix)));
  for (const term of entry.who as readonly (SourceTerm | DestinationTerm)[]) {
    switch (term.kind) {
      case "any":
        // Every unicast address that a packet of the world can come from.
        ranges.push(rangeOf({ family: 4, value: 0x0100_0000 }, { family: 4, value: 0xdfff_ffff }));
        ranges.push({ family: 6, low: 1n << 125n, high: (1n << 126n) - 1n });
        break;
      case "prefix":
        addPrefix(term.prefix);
        break;
      case "name":
        names.push(term.pattern);
        break;
      case "word":
      case "set": {
        const set = document.sets.find((one) => one.name === term.ref.name);
        if (set === undefined || set.file !== null) return null;
        set.prefixes.forEach(addPrefix);
        break;
      }
      case "country":
      case "public-web":
      case "container":
      case "preset":
        return null;
    }
  }
  return { ranges, names };
}

function rangeOf(first: Ip, last: Ip): Range {
  return { family: first.family, low: BigInt(first.value), high: BigInt(last.value) };
}

/** Where flows are judged: a zone, or a scope. */
interface Place {
  readonly fields: FlowRecord;
  readonly allows: readonly Box[];
  readonly blocks: readonly Box[];
  readonly names: readonly NamePattern[];
}

function* flowsOf(
  entry: AssertEntry,
  who: Subjects,
  document: PolicyDocument,
  policy: ResolvedPolicy,
): Generator<FlowRecord> {
  const ports = entry.ports ?? [{ first: 1, last: 65_535 }];
  const key = entry.direction === "inbound" ? "from" : "address";
  const places =
    entry.direction === "inbound"
      ? worldZones(document).map((zone) => zonePlace(policy, zone))
      : [scopePlace(policy, entry.scope)];
  const protocols = entry.protocol === null ? (["tcp", "udp"] as const) : [entry.protocol];
  for (const place of places) {
    for (const protocol of protocols) {
      const seek: Seek = { allows: place.allows, blocks: place.blocks, ports, protocol };
      yield* namedFlows(place, who.names, seek);
      const corners = entry.kind === "never" ? neverCorners : alwaysCorners;
      for (const { address, host, port } of corners(seek, who.ranges)) {
        const named = host === null ? {} : { host };
        yield { ...place.fields, ...named, [key]: formatIp(address), port, protocol };
      }
    }
  }
}

function* namedFlows(place: Place, names: readonly NamePattern[], seek: Seek): Generator<FlowRecord> {
  if (names.length === 0) return;
  const ports = everyPort(seek);
  for (const host of new Set(names.flatMap((name) => hostsUnder(name, place)))) {
    for (const port of ports) yield { ...place.fields, host, port, protocol: seek.protocol };
  }
}

function zonePlace(policy: ResolvedPolicy, zone: string): Place {
  const box = (rule: ResolvedInboundRule): Box => {
    const whole = rule.fromZones.includes(zone);
    const addresses = whole ? unionSets([subtractSet(EVERY_ADDRESS, rule.except), rule.from]) : rule.from;
    const { services } = rule;
    return { services, addresses: rule.exceptZones.includes(zone) ? EMPTY_SET : addresses, host: null };
  };
  const guards = policy.guards.filter((guard) => guard.direction === "inbound" && guard.zones.includes(zone));
  return {
    fields: { direction: "inbound", zone },
    allows: policy.inbound.filter(({ action }) => action === "allow").map(box),
    blocks: [
      ...policy.inbound.filter(({ action }) => action === "deny").map(box),
      ...guards.map(({ services }) => ({ services, addresses: EVERY_ADDRESS, host: null })),
    ],
    names: [],
  };
}

function scopePlace(policy: ResolvedPolicy, scope: string): Place {
  const rules = (policy.outbound ?? []).filter((rule) => rule.scopes.includes(scope));
  const box = ({ services, to }: ResolvedOutboundRule): Box => ({ services, addresses: to, host: null });
  const guards = policy.guards.filter((guard) => guard.direction === "outbound");
  const allows = rules.filter(({ action }) => action === "allow");
  const unjudged: Box = {
    services: [{ protocol: "every", ports: { first: 0, last: 65_535 } }],
    addresses: EVERY_ADDRESS,
    host: null,
  };
  return {
    fields: { direction: "outbound", scope },
    allows: policy.outbound === null ? [unjudged] : [...allows.map(box), ...allows.flatMap(privateBoxes)],
    blocks: [
      ...rules.filter(({ action }) => action === "deny").map(box),
      ...guards.map(({ services, to }) => ({ services, addresses: to ?? EVERY_ADDRESS, host: null })),
    ],
    names: [...rules, ...guards].flatMap(({ names }) => names),
  };
}

/** A name that may be private can have any address, its owner decides which. */
function privateBoxes(rule: ResolvedOutboundRule): Box[] {
  if (!rule.private) return [];
  return rule.names.map((name) => ({
    services: rule.services,
    addresses: EVERY_ADDRESS,
    host: exampleOf(name),
  }));
}

function exampleOf(pattern: NamePattern): string {
  return pattern.kind === "exact" ? pattern.name : formatPattern(pattern).replace("*", "any-name");
}

/** Returns a name of the pattern, and every name of the policy that the pattern covers. */
function hostsUnder(pattern: NamePattern, place: Place): string[] {
  if (pattern.kind === "exact") return [pattern.name];
  const under = place.names.filter((name) =>
    name.kind === "exact"
      ? matchesPattern(pattern, name.name)
      : name.suffix === pattern.suffix || matchesPattern(pattern, name.suffix),
  );
  return [pattern, ...under].map(exampleOf);
}

function error(code: string, message: string, help: string, span: Span): Diagnostic {
  return { code: `policy/${code}`, severity: "error", message, help, span };
}
