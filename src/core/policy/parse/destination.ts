import { formatPattern } from "../../net/hostname.ts";
import { type Breadth, parseNamePattern } from "../../net/name-pattern.ts";
import type { Prefix } from "../../net/prefix.ts";
import type { DestinationTerm, RuleAction } from "../document.ts";
import { type AcceptedRisks, lookUpName } from "./accepted.ts";
import { didYouMean } from "./closest.ts";
import { readCountry } from "./country.ts";
import { nameProblem } from "./name-problem.ts";
import type { Names } from "./names.ts";
import { type Node, shown } from "./node.ts";
import { looksLikeAddress, noteAggregates, readPrefix } from "./prefix-term.ts";
import { CONTAINER_PREFIX, DOCKER_NAME_PATTERN, NAME_PATTERN, PUBLIC_WEB } from "./vocabulary.ts";
import { fail, oneOrMore, termText, type Walk } from "./walk.ts";

const EXPECTED =
  "a destination must be a name, `*.name`, an address, a prefix, a set, `public-web`, `container:NAME` or `{country: [..]}`";

/** What reading destinations needs to know. `action` is null where nothing is granted (an assertion). */
export interface DestinationContext {
  readonly names: Names;
  readonly risks: AcceptedRisks;
  readonly action: RuleAction | null;
}

/** The destinations, and when the acceptance that one of them needs ends (Unix ms), if it needs one. */
export interface Destinations {
  readonly terms: readonly DestinationTerm[];
  readonly acceptedUntilMs: number | null;
}

/** Returns the destinations of `allow`, `deny` or an assertion; the unreadable are reported and left out. */
export function readDestinations(
  walk: Walk,
  node: Node,
  what: string,
  context: DestinationContext,
): Destinations {
  const terms: DestinationTerm[] = [];
  const untils: number[] = [];
  for (const item of oneOrMore(walk, node, what)) {
    const term = readDestination(walk, item, context, untils);
    if (term !== null) terms.push(term);
  }
  const prefixes = terms.flatMap((term): Prefix[] => (term.kind === "prefix" ? [term.prefix] : []));
  noteAggregates(walk, prefixes, node.span);
  return { terms, acceptedUntilMs: untils.length === 0 ? null : Math.min(...untils) };
}

function readDestination(
  walk: Walk,
  node: Node,
  context: DestinationContext,
  untils: number[],
): DestinationTerm | null {
  if (node.kind === "map") return readCountry(walk, node, EXPECTED);
  const text = termText(walk, node, EXPECTED);
  if (text === null) return null;
  const { span } = node;
  if (text === PUBLIC_WEB) return publicWeb(walk, node, context, untils);
  if (text.startsWith(CONTAINER_PREFIX)) return container(walk, node, text.slice(CONTAINER_PREFIX.length));
  if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(text)) {
    const help = "give the host name alone; a path cannot be part of a rule";
    fail(walk, "url", span, `${shown(text)} is a URL, not a name`, help);
    return null;
  }
  const withPort = hostAndPort(text);
  if (withPort !== null) {
    const help = `write \`${withPort.host}\` and add \`port: ${withPort.port}\` to the rule`;
    fail(walk, "host-port", span, `${shown(text)} holds a port`, help);
    return null;
  }
  if (text.includes("/") && !looksLikeAddress(text)) {
    const help = "give the host name alone; a path cannot be part of a rule";
    fail(walk, "url", span, `${shown(text)} holds a path`, help);
    return null;
  }
  if (looksLikeAddress(text)) {
    const prefix = readPrefix(walk, text, span);
    return prefix === null ? null : { kind: "prefix", prefix, span };
  }
  if (!text.includes(".") && context.names.sets.has(text)) return { kind: "set", ref: { name: text, span } };
  return readName(walk, node, text, context, untils);
}

function publicWeb(
  walk: Walk,
  node: Node,
  context: DestinationContext,
  untils: number[],
): DestinationTerm | null {
  const { span } = node;
  if (context.action === "deny") {
    fail(walk, "public-web", span, "`public-web` can only be allowed", "to deny, name the destinations");
    return null;
  }
  if (context.action === "allow") {
    const until = context.risks.publicWebUntilMs;
    if (until === null) {
      const help =
        "browsing cannot be made safe, only limited: add `accept_risk: [{use: public-web, reason: .., by: .., expires: ..}]`";
      fail(walk, "needs-accept-risk", span, "`public-web` needs an accepted risk", help);
      return null;
    }
    untils.push(until);
  }
  return { kind: "public-web", span };
}

function container(walk: Walk, node: Node, name: string): DestinationTerm | null {
  const { span } = node;
  if (DOCKER_NAME_PATTERN.test(name)) return { kind: "container", ref: { name, span } };
  const help = "write `container:` and the name that `docker ps` shows";
  fail(walk, "container", span, `${shown(name)} is not a container name`, help);
  return null;
}

function hostAndPort(text: string): { host: string; port: string } | null {
  const match = /^(\[[^\]]*\]|[^:]+):([0-9]+(?:-[0-9]+)?)$/.exec(text);
  return match === null ? null : { host: match[1] ?? "", port: match[2] ?? "" };
}

function readName(
  walk: Walk,
  node: Node,
  text: string,
  context: DestinationContext,
  untils: number[],
): DestinationTerm | null {
  const { span } = node;
  const parsed = parseNamePattern(text);
  if (!parsed.ok) {
    if (parsed.problem === "single-label" && NAME_PATTERN.test(text)) unknownWord(walk, node, text, context);
    else nameProblem(walk, text, span, parsed.problem, parsed.instead);
    return null;
  }
  const { pattern, breadth } = parsed;
  if (breadth !== null && context.action !== null) {
    const until = lookUpName(context.risks, formatPattern(pattern));
    if (until === null) {
      tooBroad(walk, node, formatPattern(pattern), breadth);
      return null;
    }
    if (context.action === "allow") untils.push(until);
  }
  return { kind: "name", pattern, span };
}

function unknownWord(walk: Walk, node: Node, text: string, context: DestinationContext): void {
  const near = didYouMean(text, [...context.names.sets, PUBLIC_WEB]);
  const help =
    text === "any" || text === "all"
      ? 'name the destinations; every public website is `public-web`, every address is `["0.0.0.0/0", "::/0"]`'
      : (near ?? "a name needs at least two labels; a set must be declared under `sets:`");
  fail(walk, "unknown-set", node.span, `${shown(text)} is not a set, and a name needs a dot`, help);
}

function tooBroad(walk: Walk, node: Node, pattern: string, breadth: Breadth): void {
  const why: Record<Breadth, string> = {
    "public-suffix": "is every name under a public suffix, where anyone can register",
    "private-suffix": "is every customer of a hosting service",
    "single-label": "is every name under a whole top-level domain",
  };
  const help = `name the hosts, or add \`accept_risk: [{name: "${pattern}", reason: .., by: .., expires: ..}]\``;
  fail(walk, "public-suffix", node.span, `${shown(pattern)} ${why[breadth]}`, help);
}
