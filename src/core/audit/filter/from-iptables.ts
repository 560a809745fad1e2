/** Tables from the text of iptables-save(8) and ip6tables-save(8). */
import { parsePrefix, prefixEnd } from "../../net/prefix.ts";
import { parsePortRange } from "../../net/port-range.ts";
import type { BaseChain, Field, Hook, Rule, Span, Table, Term, Verdict } from "./model.ts";

const HOOKS: Readonly<Record<string, Hook>> = {
  PREROUTING: "prerouting",
  INPUT: "input",
  FORWARD: "forward",
  OUTPUT: "output",
  POSTROUTING: "postrouting",
};
const PRIORITY: Readonly<Record<string, number>> = {
  raw: -300,
  mangle: -150,
  nat: -100,
  filter: 0,
  security: 50,
};

/** Returns the tables of one family. A match that is not known here is opaque: it may match or not. */
export function tablesOfIptables(text: string, family: "ip" | "ip6", program: string): Table[] {
  const tables: Table[] = [];
  let name = "";
  let chains = new Map<string, Rule[]>();
  let base: BaseChain[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("*")) {
      name = line.slice(1).trim();
      [chains, base] = [new Map(), []];
    } else if (line.startsWith(":")) {
      const [chain = "", policy = "-"] = line.slice(1).split(" ");
      chains.set(chain, []);
      const hook = HOOKS[chain];
      if (hook !== undefined && policy !== "-")
        base.push({
          hook,
          priority: PRIORITY[name] ?? 0,
          policy: policy === "DROP" ? "drop" : "accept",
          chain,
          type: name === "nat" ? "nat" : "filter",
        });
    } else if (line.startsWith("-A ")) {
      const [chain, rule] = parseRule(words(line));
      chains.get(chain)?.push(rule);
    } else if (line === "COMMIT") tables.push({ name: `${program} ${name}`, family, chains, base });
  }
  return tables;
}

/** Splits as iptables-save quotes: blanks inside `"..."` belong to the word. */
function words(line: string): string[] {
  return (line.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? []).map((word) => word.replace(/^"(.*)"$/, "$1"));
}

const QUIET_MATCHES = new Set([
  "tcp",
  "udp",
  "conntrack",
  "state",
  "multiport",
  "comment",
  "addrtype",
  "limit",
  "icmp",
  "icmp6",
]);

function parseRule(all: readonly string[]): readonly [string, Rule] {
  const terms: Term[] = [];
  let verdict: Verdict | null = null;
  let negated = false;
  const opaque = (): void => void terms.push({ kind: "opaque" });
  for (let at = 2; at < all.length; at += 1) {
    const word = all[at] ?? "";
    if (word === "!") {
      negated = true;
      continue;
    }
    const value = all[at + 1] ?? "";
    if (word === "-j" || word === "-g") {
      verdict = verdictOf(value, word === "-g");
      break;
    }
    const term = termOf(word, value, negated);
    negated = false;
    if (term === "quiet") at += 1;
    else if (term === undefined) opaque();
    else {
      terms.push(term);
      at += 1;
    }
  }
  return [all[1] ?? "", { terms, verdict }];
}

function verdictOf(target: string, goto: boolean): Verdict | null {
  if (goto) return { kind: "goto", chain: target };
  switch (target) {
    case "ACCEPT":
      return { kind: "accept" };
    case "DROP":
    case "REJECT":
      return { kind: "drop" };
    case "RETURN":
      return { kind: "return" };
    case "LOG":
    case "NFLOG":
    case "MARK":
    case "CONNMARK":
    case "CT":
    case "TCPMSS":
    case "CHECKSUM":
    case "SET":
    case "TRACE":
      return null;
    case "DNAT":
    case "SNAT":
    case "MASQUERADE":
    case "REDIRECT":
    case "NETMAP":
    case "NFQUEUE":
    case "SYNPROXY":
    case "TPROXY":
      return { kind: "opaque" };
    default:
      return { kind: "jump", chain: target };
  }
}

/** `quiet`: names a match whose own options follow, or says nothing about which packet it is. */
function termOf(word: string, value: string, negated: boolean): Term | "quiet" | undefined {
  const field = (name: Field, any: readonly Span[]): Term => ({ kind: "field", field: name, negated, any });
  switch (word) {
    case "-m":
      return value === "limit" ? undefined : QUIET_MATCHES.has(value) ? "quiet" : undefined;
    case "--comment":
      return "quiet";
    case "-i":
      return field("in", [nameSpan(value)]);
    case "-o":
      return field("out", [nameSpan(value)]);
    case "-p":
      return value === "all" ? "quiet" : field("protocol", [same(value === "ipv6-icmp" ? "icmp6" : value)]);
    case "--dport":
    case "--dports":
      return portTerm(value, "port", negated);
    case "--ctorigdstport":
      return portTerm(value, "original-port", negated);
    case "--ctdir":
      return value === "ORIGINAL" && !negated ? "quiet" : undefined;
    case "--dst-type":
      return field(
        "destination-type",
        value.split(",").map((type) => same(type.toLowerCase())),
      );
    case "--ctstate":
    case "--state":
      return stateTerm(value, negated);
    case "-s":
      return prefixTerm(value, "source4", "source6", negated);
    case "-d":
      return prefixTerm(value, "destination4", "destination6", negated);
    default:
      return undefined;
  }
}

function nameSpan(value: string): Span {
  return same(value.endsWith("+") ? `${value.slice(0, -1)}*` : value);
}

function same(value: string): Span {
  return { first: value, last: value };
}

function portTerm(value: string, field: Field, negated: boolean): Term | undefined {
  const spans: Span[] = [];
  for (const part of value.split(",")) {
    const range = parsePortRange(part.replace(":", "-"));
    if (range === undefined) return undefined;
    spans.push({ first: range.first, last: range.last });
  }
  return { kind: "field", field, negated, any: spans };
}

/** DNAT and SNAT stand among the states of conntrack(8). */
function stateTerm(value: string, negated: boolean): Term {
  const states = value.split(",");
  if (states.every((state) => /^[DS]NAT$/.test(state)))
    return { kind: "field", field: "nat", negated, any: states.map((state) => same(state.toLowerCase())) };
  return { kind: "field", field: "state", negated, any: states.map((state) => same(state.toLowerCase())) };
}

function prefixTerm(value: string, four: Field, six: Field, negated: boolean): Term | undefined {
  const parsed = parsePrefix(value);
  if (!parsed.ok) return undefined;
  const { prefix } = parsed;
  return {
    kind: "field",
    field: prefix.base.family === 4 ? four : six,
    negated,
    any: [{ first: prefix.base.value, last: prefixEnd(prefix).value }],
  };
}
