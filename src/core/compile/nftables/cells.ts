/**
 * Cuts the rules of one tier into disjoint cells, address range x protocol x port range, each with the rules
 * that match in it, in the order in which they are asked. The kernel then needs one look-up a tier, whatever
 * the number of rules.
 */
import type { Intervals4, Intervals6, PrefixSet } from "../../net/prefix-set.ts";
import { formatInterval } from "../../net/prefix-set.ts";
import type { PortRange } from "../../net/port-range.ts";
import { PORT_MAX } from "../../net/port-range.ts";
import type { ServiceMatch } from "../../policy/resolved.ts";

/** One rule as a tier sees it. `settles`: a match decides for good, nothing after it is asked. */
export interface TierRule {
  readonly key: string;
  readonly addresses: PrefixSet;
  readonly services: readonly ServiceMatch[];
  readonly settles: boolean;
}

export interface Cell {
  /** `203.0.113.0/24` or `203.0.113.0-203.0.113.5`. */
  readonly addresses: string;
  /** IP protocol numbers. */
  readonly protocol: { readonly first: number; readonly last: number };
  readonly ports: PortRange;
  /** Indexes into the tier's rules: as asked, ending with the first that settles. */
  readonly rules: readonly number[];
}

/** LIMIT: elements of one tier, zone and family; more would stall the load and mean a policy of crossing ranges. */
export const TIER_CELLS_MAX = 65_536;

/** Returns the disjoint cells of a family, or undefined when there would be more than TIER_CELLS_MAX. */
export function cellsOf(rules: readonly TierRule[], family: 4 | 6): Cell[] | undefined {
  const cells: Cell[] = [];
  for (const group of serviceGroups(rules)) {
    for (const span of addressSpans(rules, group.rules, family)) {
      for (const box of group.boxes) {
        if (cells.length >= TIER_CELLS_MAX) return undefined;
        cells.push({ addresses: span.text, protocol: box.protocol, ports: box.ports, rules: span.rules });
      }
    }
  }
  return cells;
}

const TCP = 6;
const UDP = 17;
type Box = Pick<Cell, "protocol" | "ports">;
interface ServiceGroup {
  readonly rules: readonly number[];
  readonly boxes: Box[];
}

/** Groups the space of protocol x port by which rules match there. */
function serviceGroups(rules: readonly TierRule[]): ServiceGroup[] {
  const groups = new Map<string, ServiceGroup>();
  const tcp = portSegments(rules, "tcp");
  const udp = portSegments(rules, "udp");
  const rest = rules.flatMap((rule, at) =>
    rule.services.some(({ protocol }) => protocol === "every") ? [at] : [],
  );
  const onlyEvery = [...tcp, ...udp].every((segment) => segment.rules.join() === rest.join());
  const add = (members: readonly number[], box: Box): void => {
    if (members.length === 0) return;
    const group = groups.get(members.join());
    if (group === undefined) groups.set(members.join(), { rules: members, boxes: [box] });
    else group.boxes.push(box);
  };
  const everyPort = { first: 0, last: PORT_MAX };
  if (onlyEvery) {
    add(rest, { protocol: { first: 0, last: 255 }, ports: everyPort });
    return [...groups.values()];
  }
  for (const { ports, rules: members } of tcp) add(members, { protocol: { first: TCP, last: TCP }, ports });
  for (const { ports, rules: members } of udp) add(members, { protocol: { first: UDP, last: UDP }, ports });
  for (const [first, last] of [
    [0, TCP - 1],
    [TCP + 1, UDP - 1],
    [UDP + 1, 255],
  ] as const) {
    add(rest, { protocol: { first, last }, ports: everyPort });
  }
  return [...groups.values()];
}

/** Returns the ports 0..65535 cut where the set of matching rules changes, neighbours alike joined. */
function portSegments(
  rules: readonly TierRule[],
  protocol: "tcp" | "udp",
): { ports: PortRange; rules: number[] }[] {
  const events = new Map<number, { opens: number[]; closes: number[] }>();
  const eventAt = (port: number): { opens: number[]; closes: number[] } => {
    const event = events.get(port) ?? { opens: [], closes: [] };
    events.set(port, event);
    return event;
  };
  for (const [at, rule] of rules.entries()) {
    for (const service of rule.services) {
      if (service.protocol !== protocol && service.protocol !== "both" && service.protocol !== "every")
        continue;
      const ports = service.protocol === "every" ? { first: 0, last: PORT_MAX } : service.ports;
      eventAt(ports.first).opens.push(at);
      eventAt(ports.last + 1).closes.push(at);
    }
  }
  return sweep(events, 0, PORT_MAX + 1).map(({ first, end, members }) => ({
    ports: { first, last: end - 1 },
    rules: members,
  }));
}

interface AddressSpan {
  readonly text: string;
  readonly rules: readonly number[];
}

/** Cuts the addresses of a family by which of `members` match, keeping what each span's list settles at. */
function addressSpans(rules: readonly TierRule[], members: readonly number[], family: 4 | 6): AddressSpan[] {
  if (family === 4) {
    const events = addressEvents(members, (at) => pairs4(rules[at]?.addresses.v4));
    return joinSpans(rules, sweep(events, 0, 2 ** 32)).map(({ first, end, members: list }) => ({
      text: formatInterval({ family: 4, value: first }, { family: 4, value: end - 1 }),
      rules: list,
    }));
  }
  const events = addressEvents(members, (at) => pairs6(rules[at]?.addresses.v6));
  return joinSpans(rules, sweep(events, 0n, 1n << 128n)).map(({ first, end, members: list }) => ({
    text: formatInterval({ family: 6, value: first }, { family: 6, value: end - 1n }),
    rules: list,
  }));
}

/** First address and the one after the last. */
function pairs4(intervals: Intervals4 | undefined): [number, number][] {
  if (intervals === undefined) return [];
  return Array.from(intervals.first, (first, at) => [first, (intervals.last[at] ?? first) + 1]);
}
function pairs6(intervals: Intervals6 | undefined): [bigint, bigint][] {
  return intervals?.first.map((first, at) => [first, (intervals.last[at] ?? first) + 1n]) ?? [];
}

type Events<Value> = Map<Value, { opens: number[]; closes: number[] }>;

function addressEvents<Value>(
  members: readonly number[],
  pairsOf: (at: number) => [Value, Value][],
): Events<Value> {
  const events: Events<Value> = new Map();
  for (const at of members) {
    for (const [first, end] of pairsOf(at)) {
      const open = events.get(first) ?? { opens: [], closes: [] };
      open.opens.push(at);
      events.set(first, open);
      const close = events.get(end) ?? { opens: [], closes: [] };
      close.closes.push(at);
      events.set(end, close);
    }
  }
  return events;
}

interface Stretch<Value> {
  readonly first: Value;
  readonly end: Value;
  readonly members: number[];
}

/** Walks the events in order; a rule may be open several times (its own ranges may overlap). */
function sweep<Value extends number | bigint>(
  events: Events<Value>,
  start: Value,
  end: Value,
): Stretch<Value>[] {
  const stretches: Stretch<Value>[] = [];
  const open = new Map<number, number>();
  let first = start;
  const close = (at: Value): void => {
    if (at > first && open.size > 0) {
      const members = [...open.keys()].sort((a, b) => a - b);
      const previous = stretches.at(-1);
      if (previous !== undefined && previous.end === first && previous.members.join() === members.join()) {
        stretches[stretches.length - 1] = { ...previous, end: at };
      } else {
        stretches.push({ first, end: at, members });
      }
    }
    first = at;
  };
  for (const [at, event] of [...events].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) {
    close(at);
    for (const rule of event.closes) {
      const left = (open.get(rule) ?? 1) - 1;
      if (left === 0) open.delete(rule);
      else open.set(rule, left);
    }
    for (const rule of event.opens) open.set(rule, (open.get(rule) ?? 0) + 1);
  }
  if (first < end) close(end);
  return stretches;
}

/** Cuts each list after the first rule that settles, then joins neighbours that became alike. */
function joinSpans<Value extends number | bigint>(
  rules: readonly TierRule[],
  stretches: readonly Stretch<Value>[],
): Stretch<Value>[] {
  const joined: Stretch<Value>[] = [];
  for (const { first, end, members } of stretches) {
    const settled = members.findIndex((at) => rules[at]?.settles === true);
    const list = settled < 0 ? members : members.slice(0, settled + 1);
    const previous = joined.at(-1);
    if (previous !== undefined && previous.end === first && previous.members.join() === list.join()) {
      joined[joined.length - 1] = { ...previous, end };
    } else {
      joined.push({ first, end, members: list });
    }
  }
  return joined;
}
