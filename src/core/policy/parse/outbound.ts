import type { PortRange } from "../../net/port-range.ts";
import type { DestinationTerm, OutboundRule, Reference, RuleAction } from "../document.ts";
import type { AcceptedRisks } from "./accepted.ts";
import { didYouMean } from "./closest.ts";
import { type Destinations, readDestinations } from "./destination.ts";
import type { Names } from "./names.ts";
import { type Node, shown } from "./node.ts";
import { readPorts } from "./port.ts";
import { type CommonFields, hasErrorSince, readAction, readCommon, warnExpired } from "./rule.ts";
import { AGENT_SCOPE, KEYS_RENAMED, OUTBOUND_KEYS, PROTOCOLS } from "./vocabulary.ts";
import {
  booleanOf,
  type Fields,
  fail,
  fieldsOf,
  listKeys,
  oneOrMore,
  textOf,
  type Walk,
  wordOf,
} from "./walk.ts";

const ELSEWHERE = {
  from: "an outbound rule has `scope`: who connects is decided by user, unit or container",
  except: "write a second rule that denies; a deny always wins",
  to: "an outbound rule names its destinations in `allow` or `deny`",
  rate: "`rate` is for inbound rules",
  ports: `did you mean \`${KEYS_RENAMED.outbound.ports}\`? it takes a list as well`,
} as const;

type OutboundFields = Fields<(typeof OUTBOUND_KEYS)[number]>;
export type OutboundDraft = Omit<OutboundRule, "id"> & Pick<CommonFields, "id">;

/** Returns an outbound rule (its id still open when the file gives none), or null with errors. */
export function readOutboundRule(
  walk: Walk,
  node: Node,
  names: Names,
  risks: AcceptedRisks,
  requireOwner: boolean,
): OutboundDraft | null {
  const start = walk.diagnostics.length;
  const fields = fieldsOf(walk, node, "an outbound rule", OUTBOUND_KEYS, ELSEWHERE);
  if (fields === null) return null;
  const verb = readAction<"allow" | "deny" | "use">(walk, fields, ["allow", "deny", "use"]);
  const action: RuleAction = verb?.key === "deny" ? "deny" : "allow";
  const { terms, acceptedUntilMs } = readTo(walk, verb, action, names, risks);
  const ports = readRulePorts(walk, fields, verb?.key === "use");
  const protocol = readProtocol(walk, fields, action, verb?.key === "use");
  const scopes = readScopes(walk, fields, names);
  const privateEntry = fields.get("private");
  const isPrivate = privateEntry === undefined ? false : booleanOf(walk, privateEntry.value, "`private`");
  const common = readCommon(walk, fields, action, requireOwner);
  if (common === null || isPrivate === null || hasErrorSince(walk, start)) return null;
  // A rule that lives by an accepted risk ends with it.
  const expiresMs = earliest(common.expiresMs, acceptedUntilMs);
  if (expiresMs !== null) warnExpired(walk, fields, action, expiresMs);
  return { ...common, expiresMs, action, to: terms, ports, protocol, scopes, private: isPrivate };
}

function earliest(left: number | null, right: number | null): number | null {
  if (left === null || right === null) return left ?? right;
  return Math.min(left, right);
}

function readTo(
  walk: Walk,
  verb: { readonly key: "allow" | "deny" | "use"; readonly value: Node } | null,
  action: RuleAction,
  names: Names,
  risks: AcceptedRisks,
): Destinations {
  if (verb === null) return { terms: [], acceptedUntilMs: null };
  if (verb.key === "use") return { terms: readPresets(walk, verb.value, names), acceptedUntilMs: null };
  return readDestinations(walk, verb.value, `\`${verb.key}\``, { names, risks, action });
}

function readPresets(walk: Walk, node: Node, names: Names): DestinationTerm[] {
  const terms: DestinationTerm[] = [];
  for (const item of oneOrMore(walk, node, "`use`")) {
    const name = textOf(walk, item, "a preset");
    if (name === null) continue;
    if (names.presets === null || names.presets.has(name)) {
      terms.push({ kind: "preset", ref: { name, span: item.span } });
      continue;
    }
    const help = didYouMean(name, names.presets) ?? `the presets are ${listKeys([...names.presets])}`;
    fail(walk, "unknown-preset", item.span, `${shown(name)} is not a preset`, help);
  }
  return terms;
}

function readRulePorts(walk: Walk, fields: OutboundFields, isUse: boolean): PortRange[] | null {
  const entry = fields.get("port");
  if (entry === undefined) return null;
  if (isUse) {
    fail(walk, "conflict", entry.keySpan, "`port` does not go with `use`", "a preset brings its own ports");
  }
  return readPorts(walk, entry.value);
}

function readProtocol(
  walk: Walk,
  fields: OutboundFields,
  action: RuleAction,
  isUse: boolean,
): "tcp" | "udp" | null {
  const entry = fields.get("protocol");
  if (entry === undefined) return null;
  if (isUse) {
    fail(walk, "conflict", entry.keySpan, "`protocol` does not go with `use`", "a preset brings its own");
  }
  const protocol = wordOf(walk, entry.value, "`protocol`", PROTOCOLS);
  if (protocol === "udp" && action === "allow" && !isUse && !fields.has("port")) {
    const help = "an allow without a port means tcp/443; say which UDP port";
    fail(walk, "missing-key", fields.span, "the rule has `protocol: udp` but no `port`", help);
  }
  return protocol;
}

function readScopes(walk: Walk, fields: OutboundFields, names: Names): Reference[] {
  const entry = fields.get("scope");
  if (entry === undefined) return [{ name: AGENT_SCOPE, span: fields.span }];
  const scopes: Reference[] = [];
  for (const item of oneOrMore(walk, entry.value, "`scope`")) {
    const name = readScopeName(walk, item, names);
    if (name !== null) scopes.push({ name, span: item.span });
  }
  return scopes;
}

/** Returns the name of a scope that exists, or null with an error. */
export function readScopeName(walk: Walk, node: Node, names: Names): string | null {
  const name = textOf(walk, node, "`scope`");
  if (name === null || name === AGENT_SCOPE || names.scopes.has(name)) return name;
  const help = didYouMean(name, [...names.scopes, AGENT_SCOPE]) ?? "declare it under `scopes:`";
  fail(walk, "unknown-scope", node.span, `${shown(name)} is not a scope`, help);
  return null;
}
