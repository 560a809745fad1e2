/**
 * Which rule decided, not only what: each rule's counter in the kernel against the number of packets that
 * `evaluate` gives to it.
 */
import type { Decision } from "../../src/core/policy/decision.ts";
import type { ResolvedPolicy } from "../../src/core/policy/resolved.ts";
import { nftOutput } from "../support/wire/nft.ts";
import type { Atom } from "./atom.ts";

interface Expected {
  /** Packets that count for sure. */
  sure: number;
  /** Packets that conntrack may call invalid: an allow counts new connections only. */
  perhaps: number;
  readonly direction: Atom["direction"];
}

export class CounterTally {
  readonly expected = new Map<string, Expected>();

  add(atom: Atom, decision: Decision): void {
    const name = counterName(atom, decision);
    if (name === undefined) return;
    const entry = this.expected.get(name) ?? { sure: 0, perhaps: 0, direction: atom.direction };
    if (atom.protocol === "sctp") entry.perhaps += 1;
    else entry.sure += 1;
    this.expected.set(name, entry);
  }

  /** Returns a sentence for each counter that differs. */
  compare(policy: ResolvedPolicy, counters: ReadonlyMap<string, number>): string[] {
    const problems: string[] = [];
    for (const [name, packets] of counters) {
      if (!name.startsWith("count_") || /^count_(gate|line|full)\//.test(name)) continue;
      const { sure, perhaps } = this.expected.get(name) ?? { sure: 0, perhaps: 0 };
      // Where a watched deny lets packets pass on, those count again at the rule that admits them.
      const loose = isWatched(policy, name);
      if (packets < sure || (!loose && packets > sure + perhaps)) {
        problems.push(`${name} counted ${packets}, evaluate gives it ${sure} to ${sure + perhaps}`);
      }
    }
    for (const [name, { sure }] of this.expected) {
      if (sure > 0 && !counters.has(name)) problems.push(`there is no counter ${name} for ${sure} packets`);
    }
    return problems;
  }
}

function counterName(atom: Atom, decision: Decision): string | undefined {
  if (decision.rule !== null) return decision.reason === "host-life" ? undefined : `count_${decision.rule}`;
  if (decision.reason !== "default" || atom.flow === null) return undefined;
  const place = atom.flow.direction === "inbound" ? atom.flow.zone : atom.flow.scope;
  return `count_default/${atom.direction}/${place}`;
}

/** Whether the direction of this counter is enforced and has a deny that is only watched. */
function isWatched(policy: ResolvedPolicy, name: string): boolean {
  return (["inbound", "outbound"] as const).some((direction) => {
    const rules = policy[direction] ?? [];
    const isHere = rules.some((rule) => `count_${rule.id}` === name);
    const watches = rules.some((rule) => rule.action === "deny" && rule.mode === "observe");
    return isHere && watches && policy.mode[direction] === "enforce";
  });
}

/** Returns the packets of every named counter of the ruleset under test. */
export function readCounters(): Map<string, number> {
  const listing: unknown = JSON.parse(nftOutput(["-j", "list", "counters", "table", "inet", "seawall"]));
  const counters = new Map<string, number>();
  if (typeof listing !== "object" || listing === null || !("nftables" in listing)) return counters;
  for (const item of Array.isArray(listing.nftables) ? (listing.nftables as unknown[]) : []) {
    const counter = (item as { counter?: { name?: string; packets?: number } }).counter;
    if (counter?.name !== undefined) counters.set(counter.name, counter.packets ?? 0);
  }
  return counters;
}
