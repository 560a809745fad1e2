/** Tables from `nft -j list ruleset` (libnftables-json(5)). */
import { parseIp } from "../../net/ip.ts";
import { isJson, type Json, listOf, parseObject, textOf } from "../read/json.ts";
import { parsePrefix, prefixEnd } from "../../net/prefix.ts";
import type { BaseChain, Field, Hook, Rule, Span, Table, Term, Value, Verdict } from "./model.ts";

/** Elements of the sets and maps of one table, by name. */
type Elements = ReadonlyMap<string, readonly unknown[]>;

interface Draft {
  readonly table: Table;
  readonly chains: Map<string, Rule[]>;
  readonly base: BaseChain[];
  readonly elements: Map<string, readonly unknown[]>;
}

/** Returns the tables, or undefined when the text is not what nft prints. What is not modelled is opaque. */
export function tablesOfNft(text: string): Table[] | undefined {
  const drafts = new Map<string, Draft>();
  const rules: Json[] = [];
  for (const entry of entriesOf(text) ?? []) {
    const [kind, value] = Object.entries(entry)[0] ?? [];
    if (!isJson(value)) continue;
    if (kind === "table") begin(drafts, value);
    const draft = drafts.get(keyOf(value));
    if (draft === undefined) continue;
    if (kind === "chain") addChain(draft, value);
    else if (kind === "set" || kind === "map")
      draft.elements.set(String(value["name"]), listOf(value["elem"]));
    else if (kind === "rule") rules.push(value);
  }
  if (entriesOf(text) === undefined) return undefined;
  for (const rule of rules) {
    const draft = drafts.get(keyOf(rule));
    draft?.chains.get(String(rule["chain"]))?.push(...rulesOf(listOf(rule["expr"]), draft.elements));
  }
  return [...drafts.values()].map(({ table }) => table);
}

function entriesOf(text: string): readonly Json[] | undefined {
  const list = parseObject(text)?.["nftables"];
  return Array.isArray(list) ? list.filter(isJson) : undefined;
}

function begin(drafts: Map<string, Draft>, value: Json): void {
  const family = String(value["family"]);
  const name = String(value["name"]);
  if (family !== "ip" && family !== "ip6" && family !== "inet") return;
  const [chains, base] = [new Map<string, Rule[]>(), [] as BaseChain[]];
  const table: Table = { name: `${family} ${name}`, family, chains, base };
  drafts.set(`${family} ${name}`, { table, chains, base, elements: new Map() });
}

function keyOf(value: Json): string {
  return `${String(value["family"])} ${String(value["table"] ?? value["name"])}`;
}

const HOOKS = new Set<string>(["prerouting", "input", "forward", "output", "postrouting", "ingress"]);

function addChain({ chains, base }: Draft, value: Json): void {
  const chain = String(value["name"]);
  chains.set(chain, []);
  const hook = value["hook"];
  if (typeof hook !== "string" || !HOOKS.has(hook)) return;
  base.push({
    hook: hook as Hook,
    priority: Number(value["prio"] ?? 0),
    policy: value["policy"] === "drop" ? "drop" : "accept",
    chain,
    type: textOf(value["type"], "filter"),
  });
}

/** One rule of nft may hold a verdict map followed by more statements: it becomes one rule of ours for each. */
function rulesOf(statements: readonly unknown[], elements: Elements): Rule[] {
  const terms: Term[] = [];
  const rules: Rule[] = [];
  for (const statement of statements) {
    if (!isJson(statement)) continue;
    const [kind = "", value] = Object.entries(statement)[0] ?? [];
    const verdict = verdictOf(kind, value, elements);
    if (verdict !== null) rules.push({ terms: [...terms], verdict });
    else if (kind === "match" && isJson(value)) terms.push(...matchTerms(value, elements));
    else if (!SILENT.has(kind) || isMeter(kind, value)) terms.push({ kind: "opaque" });
  }
  return rules.length > 0 ? rules : [{ terms, verdict: null }];
}

/** An element that is added with a limit or a count of its own goes on only as long as that holds. */
function isMeter(kind: string, value: unknown): boolean {
  if (kind === "meter") return true;
  return (kind === "set" || kind === "map") && isJson(value) && listOf(value["stmt"]).length > 0;
}

/** Statements that decide nothing. */
const SILENT = new Set([
  "counter",
  "log",
  "mangle",
  "comment",
  "notrack",
  "quota",
  "meter",
  "set",
  "map",
  "ct helper",
]);

function verdictOf(kind: string, value: unknown, elements: Elements): Verdict | null {
  switch (kind) {
    case "accept":
      return { kind: "accept" };
    case "drop":
    case "reject":
      return { kind: "drop" };
    case "return":
      return { kind: "return" };
    case "jump":
    case "goto":
      return { kind, chain: isJson(value) ? String(value["target"]) : "" };
    case "vmap":
      return isJson(value) ? mapOf(value, elements) : { kind: "opaque" };
    case "xt":
      // iptables-nft: a target that nft does not know may be a verdict, a match only narrows.
      return isJson(value) && value["type"] === "target" ? { kind: "opaque" } : null;
    case "queue":
    case "dnat":
    case "snat":
    case "redirect":
    case "masquerade":
    case "tproxy":
      return { kind: "opaque" };
    default:
      return null;
  }
}

function mapOf(value: Json, elements: Elements): Verdict {
  const key = value["key"];
  const data = value["data"];
  const concat = isJson(key) && Array.isArray(key["concat"]) ? key["concat"] : [key];
  const fields = concat.map(fieldOf);
  const entries =
    typeof data === "string" ? elements.get(data.slice(1)) : listOf(isJson(data) ? data["set"] : undefined);
  return {
    kind: "map",
    entries: (entries ?? []).flatMap((pair) => {
      if (!Array.isArray(pair)) return [];
      const [element, target] = pair as readonly unknown[];
      const [word = "", detail] = isJson(target) ? (Object.entries(target)[0] ?? []) : [];
      return [
        {
          terms: elementTerms(fields, element),
          verdict: verdictOf(word, detail, elements) ?? { kind: "opaque" },
        },
      ];
    }),
  };
}

function elementTerms(fields: readonly (Field | undefined)[], element: unknown): Term[] {
  const bare = isJson(element) && isJson(element["elem"]) ? element["elem"]["val"] : element;
  const parts = isJson(bare) && Array.isArray(bare["concat"]) ? bare["concat"] : [bare];
  return fields.map((field, index) => {
    if (parts[index] === "*")
      return { kind: "field", field: field ?? "mark", negated: false, any: EVERYTHING };
    const span = spanOf(parts[index]);
    if (field === undefined || span === undefined) return { kind: "opaque" };
    return { kind: "field", field, negated: false, any: [span] };
  });
}

const EVERYTHING: readonly Span[] = [
  { first: "*", last: "*" },
  { first: 0, last: Number.MAX_SAFE_INTEGER },
];

function matchTerms(match: Json, elements: Elements): Term[] {
  const negated = match["op"] === "!=";
  const field = fieldOf(match["left"]);
  const protocol = impliedProtocol(match["left"]);
  const implied: Term[] =
    protocol === undefined
      ? []
      : [{ kind: "field", field: "protocol", negated: false, any: [{ first: protocol, last: protocol }] }];
  const spans = spansOf(match["right"], elements);
  const known =
    field !== undefined && spans !== undefined && ["==", "!=", "in"].includes(String(match["op"]));
  return [...implied, known ? { kind: "field", field, negated, any: spans } : { kind: "opaque" }];
}

/** `tcp dport 22` only looks at TCP. */
function impliedProtocol(left: unknown): string | undefined {
  const payload = isJson(left) && isJson(left["payload"]) ? left["payload"] : undefined;
  const protocol = textOf(payload?.["protocol"]);
  return ["tcp", "udp", "icmp", "icmpv6", "sctp", "dccp"].includes(protocol)
    ? protocol.replace("icmpv6", "icmp6")
    : undefined;
}

function fieldOf(left: unknown): Field | undefined {
  if (!isJson(left)) return undefined;
  const [kind, value] = Object.entries(left)[0] ?? [];
  // A masked mark of a packet that nobody marked is 0, whatever the mask.
  if (kind === "&" && Array.isArray(value)) return fieldOf(value[0]) === "mark" ? "mark" : undefined;
  if (!isJson(value)) return undefined;
  if (kind === "payload") return PAYLOAD[`${String(value["protocol"])} ${String(value["field"])}`];
  if (kind === "meta") return META[String(value["key"])];
  if (kind === "fib") return isDestinationType(value) ? "destination-type" : undefined;
  if (kind !== "ct") return undefined;
  const key = String(value["key"]);
  if (key === "proto-dst") return value["dir"] === "original" ? "original-port" : undefined;
  return CONNTRACK[key];
}

/** `fib daddr type`, which asks whether the packet is for this host. */
function isDestinationType(fib: Json): boolean {
  const flags = listOf(fib["flags"]);
  return fib["result"] === "type" && flags.length === 1 && flags[0] === "daddr";
}

const PAYLOAD: Readonly<Record<string, Field>> = {
  "ip saddr": "source4",
  "ip6 saddr": "source6",
  "ip daddr": "destination4",
  "ip6 daddr": "destination6",
  "tcp dport": "port",
  "udp dport": "port",
  "th dport": "port",
  "ip protocol": "protocol",
  "ip6 nexthdr": "protocol",
};
const META: Readonly<Record<string, Field>> = {
  iif: "in",
  iifname: "in",
  oif: "out",
  oifname: "out",
  l4proto: "protocol",
  nfproto: "family",
  protocol: "family",
  mark: "mark",
};
const CONNTRACK: Readonly<Record<string, Field>> = { state: "state", mark: "mark", status: "nat" };

function spansOf(right: unknown, elements: Elements): readonly Span[] | undefined {
  if (typeof right === "string" && right.startsWith("@")) return allSpans(elements.get(right.slice(1)));
  if (Array.isArray(right)) return allSpans(right);
  if (isJson(right) && Array.isArray(right["set"])) return allSpans(right["set"]);
  const span = spanOf(right);
  return span === undefined ? undefined : [span];
}

function allSpans(list: readonly unknown[] | undefined): readonly Span[] | undefined {
  if (list === undefined) return undefined;
  const spans = list.map((element) =>
    spanOf(isJson(element) && isJson(element["elem"]) ? element["elem"]["val"] : element),
  );
  return spans.every((span) => span !== undefined) ? spans : undefined;
}

function spanOf(value: unknown): Span | undefined {
  if (typeof value === "number" || typeof value === "string") {
    const single = valueOf(value);
    return { first: single, last: single };
  }
  if (!isJson(value)) return undefined;
  const { prefix, range } = value;
  if (isJson(prefix)) {
    // A mark that is compared under a mask comes as a prefix of its number.
    const number = prefix["addr"];
    if (typeof number === "number")
      return { first: number, last: number + 2 ** (32 - Number(prefix["len"])) - 1 };
    const parsed = parsePrefix(`${String(number)}/${String(prefix["len"])}`);
    return parsed.ok ? { first: parsed.prefix.base.value, last: prefixEnd(parsed.prefix).value } : undefined;
  }
  if (!Array.isArray(range) || range.length !== 2) return undefined;
  const [first, last] = (range as readonly unknown[]).map((end) =>
    typeof end === "number" || typeof end === "string" ? valueOf(end) : undefined,
  );
  return first === undefined || last === undefined ? undefined : { first, last };
}

function valueOf(value: string | number): Value {
  if (typeof value === "number") return value;
  const renamed = NAMES[value];
  if (renamed !== undefined) return renamed;
  return parseIp(value)?.value ?? value;
}

const NAMES: Readonly<Record<string, string>> = {
  ipv4: "ip",
  ipv6: "ip6",
  "ipv6-icmp": "icmp6",
  icmpv6: "icmp6",
};
