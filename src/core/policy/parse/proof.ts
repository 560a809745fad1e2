import type { Span } from "../../base/diagnostic.ts";
import type { AssertEntry, TestEntry } from "../document.ts";
import { parsePort } from "../../net/port-range.ts";
import type { AcceptedRisks } from "./accepted.ts";
import { readDestinations } from "./destination.ts";
import type { Names } from "./names.ts";
import { describeNode, type MapEntry, type Node, shown } from "./node.ts";
import { readScopeName } from "./outbound.ts";
import { readPorts, readSinglePort } from "./port.ts";
import { hasErrorSince } from "./rule.ts";
import { readSources } from "./source.ts";
import {
  AGENT_SCOPE,
  ASSERT_INBOUND_KEYS,
  ASSERT_KINDS,
  ASSERT_OUTBOUND_KEYS,
  EXPECTATIONS,
  PROTOCOLS,
  TEST_INBOUND_KEYS,
  TEST_KEYS,
  TEST_OUTBOUND_KEYS,
  WORLD_ZONE,
} from "./vocabulary.ts";
import { type Fields, fail, fieldsOf, listOf, termText, textOf, type Walk, wordOf } from "./walk.ts";

/** Returns the entries of `tests:`. Hosts and addresses stay text: an unusable one is itself a result. */
export function readTests(walk: Walk, entry: MapEntry | undefined, names: Names): TestEntry[] {
  const list = entry === undefined ? null : listOf(walk, entry.value, "`tests`");
  const tests: TestEntry[] = [];
  for (const node of list?.items ?? []) {
    const start = walk.diagnostics.length;
    const test = readTest(walk, node, names);
    if (test !== null && !hasErrorSince(walk, start)) tests.push(test);
  }
  return tests;
}

function readTest(walk: Walk, node: Node, names: Names): TestEntry | null {
  const fields = fieldsOf(walk, node, "a test", TEST_KEYS);
  if (fields === null) return null;
  const inbound = fields.get("inbound");
  const outbound = fields.get("outbound");
  const expectEntry = fields.get("expect");
  const expect = expectEntry === undefined ? null : wordOf(walk, expectEntry.value, "`expect`", EXPECTATIONS);
  if (expectEntry === undefined) {
    const help = "write `expect: accept`, `expect: refuse` or `expect: drop`";
    fail(walk, "missing-key", fields.span, "the test has no `expect`", help);
  }
  if ((inbound === undefined) === (outbound === undefined)) {
    const message =
      inbound === undefined ? "the test has no `inbound` or `outbound`" : "a test has one direction";
    const help = 'write `inbound: {from: .., port: ..}` or `outbound: {to: "host:443"}`';
    fail(walk, inbound === undefined ? "missing-key" : "conflict", fields.span, message, help);
    return null;
  }
  const flow =
    inbound !== undefined
      ? readInboundFlow(walk, inbound.value, names)
      : outbound !== undefined
        ? readOutboundFlow(walk, outbound.value, names)
        : null;
  return flow === null || expect === null ? null : { flow, expect, span: fields.span };
}

function readInboundFlow(walk: Walk, node: Node, names: Names): TestEntry["flow"] | null {
  const fields = fieldsOf(walk, node, "an inbound test", TEST_INBOUND_KEYS);
  if (fields === null) return null;
  const fromEntry = fields.get("from");
  const from =
    fromEntry === undefined ? null : termText(walk, fromEntry.value, "`from` of a test must be an address");
  if (fromEntry === undefined)
    fail(walk, "missing-key", fields.span, "the test has no `from`", "give one address");
  const portEntry = fields.get("port");
  const port = portEntry === undefined ? null : readSinglePort(walk, portEntry.value, "`port` of a test");
  if (portEntry === undefined) fail(walk, "missing-key", fields.span, "the test has no `port`");
  const protocol = readFlowProtocol(walk, fields.get("protocol"));
  const zone = readZone(walk, fields.get("zone"), names);
  return from === null || port === null ? null : { direction: "inbound", from, port, protocol, zone };
}

function readFlowProtocol(walk: Walk, entry: MapEntry | undefined): string {
  return entry === undefined ? "tcp" : (wordOf(walk, entry.value, "`protocol`", PROTOCOLS) ?? "tcp");
}

function readZone(walk: Walk, entry: MapEntry | undefined, names: Names): string {
  const zone = entry === undefined ? WORLD_ZONE : textOf(walk, entry.value, "`zone`");
  if (zone === null || entry === undefined || zone === WORLD_ZONE || names.zones.has(zone))
    return zone ?? WORLD_ZONE;
  fail(walk, "unknown-zone", entry.value.span, `${shown(zone)} is not a zone`, "declare it under `zones:`");
  return zone;
}

function readOutboundFlow(walk: Walk, node: Node, names: Names): TestEntry["flow"] | null {
  const fields = fieldsOf(walk, node, "an outbound test", TEST_OUTBOUND_KEYS);
  if (fields === null) return null;
  const protocol = readFlowProtocol(walk, fields.get("protocol"));
  const scopeEntry = fields.get("scope");
  const scope =
    scopeEntry === undefined ? AGENT_SCOPE : (readScopeName(walk, scopeEntry.value, names) ?? AGENT_SCOPE);
  const toEntry = fields.get("to");
  if (toEntry === undefined) {
    fail(walk, "missing-key", fields.span, "the test has no `to`", 'write `to: "api.example.com:443"`');
    return null;
  }
  const text = termText(walk, toEntry.value, "`to` must be `host:port`");
  if (text === null) return null;
  const target = readTarget(walk, text, toEntry.value.span, fields);
  return target === null ? null : { direction: "outbound", ...target, protocol, scope };
}

/** `to: host:port` or `to: "[v6]:port"`; or the port in a `port:` of its own. */
function readTarget(
  walk: Walk,
  text: string,
  span: Span,
  fields: Fields<(typeof TEST_OUTBOUND_KEYS)[number]>,
): { readonly to: string; readonly port: number } | null {
  const portEntry = fields.get("port");
  const match = /^(\[[^\]]*\]|[^:]*):([^:]*)$/.exec(text);
  if (portEntry !== undefined) {
    if (match !== null)
      fail(walk, "conflict", portEntry.keySpan, "the port is given twice", "keep one of them");
    const port = readSinglePort(walk, portEntry.value, "`port` of a test");
    return port === null || match !== null ? null : { to: bare(text), port };
  }
  const port = match === null ? undefined : parsePort(match[2] ?? "");
  const host = bare(match?.[1] ?? "");
  if (port !== undefined && host !== "") return { to: host, port };
  const help = 'write `to: "api.example.com:443"`, or `to: "[2001:db8::1]:443"`';
  fail(walk, "target", span, `${shown(text)} is not \`host:port\``, help);
  return null;
}

function bare(host: string): string {
  return host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
}

/** Returns the entries of `assert:`. */
export function readAsserts(
  walk: Walk,
  entry: MapEntry | undefined,
  names: Names,
  risks: AcceptedRisks,
): AssertEntry[] {
  const list = entry === undefined ? null : listOf(walk, entry.value, "`assert`");
  const asserts: AssertEntry[] = [];
  for (const node of list?.items ?? []) {
    const start = walk.diagnostics.length;
    const found = readAssert(walk, node, names, risks);
    if (found !== null && !hasErrorSince(walk, start)) asserts.push(found);
  }
  return asserts;
}

function readAssert(walk: Walk, node: Node, names: Names, risks: AcceptedRisks): AssertEntry | null {
  const outer = fieldsOf(walk, node, "an assertion", [...ASSERT_KINDS, "why"]);
  if (outer === null) return null;
  const [kind, ...others] = ASSERT_KINDS.filter((key) => outer.has(key));
  const value = kind === undefined ? undefined : outer.get(kind)?.value;
  if (kind === undefined || value === undefined || others.length > 0) {
    const help = "an assertion has exactly one of `never` and `always`";
    const code = others.length > 0 ? "conflict" : "missing-key";
    fail(walk, code, outer.span, "the assertion must be `never` or `always`", help);
    return null;
  }
  const why = outer.get("why");
  if (why !== undefined) textOf(walk, why.value, "`why`");
  if (value.kind !== "map") {
    const message = `\`${kind}\` must be a map with \`inbound\` or \`outbound\`, not ${describeNode(value)}`;
    fail(walk, "wrong-type", value.span, message);
    return null;
  }
  const isInbound = value.entries.some((candidate) => candidate.key === "inbound");
  return isInbound
    ? inboundAssert(walk, value, kind, names, outer.span)
    : outboundAssert(walk, value, kind, names, risks, outer.span);
}

function inboundAssert(
  walk: Walk,
  node: Node,
  kind: AssertEntry["kind"],
  names: Names,
  span: Span,
): AssertEntry | null {
  const fields = fieldsOf(walk, node, "an inbound assertion", ASSERT_INBOUND_KEYS);
  const entry = fields?.get("inbound");
  if (fields === null || entry === undefined) return null;
  const who = readSources(walk, entry.value, "`inbound`", names);
  const portEntry = fields.get("port");
  const ports = portEntry === undefined ? null : readPorts(walk, portEntry.value);
  const protocol = readAssertProtocol(walk, fields.get("protocol"));
  return { kind, direction: "inbound", who, ports, protocol, scope: AGENT_SCOPE, span };
}

function outboundAssert(
  walk: Walk,
  node: Node,
  kind: AssertEntry["kind"],
  names: Names,
  risks: AcceptedRisks,
  span: Span,
): AssertEntry | null {
  const fields = fieldsOf(walk, node, "an outbound assertion", ASSERT_OUTBOUND_KEYS);
  if (fields === null) return null;
  const entry = fields.get("outbound");
  if (entry === undefined) {
    const help = "write `never: {outbound: 10.0.0.0/8}` or `always: {inbound: 192.0.2.1, port: 22}`";
    fail(walk, "missing-key", fields.span, "the assertion has no `inbound` or `outbound`", help);
    return null;
  }
  const who = readDestinations(walk, entry.value, "`outbound`", { names, risks, action: null }).terms;
  const portEntry = fields.get("port");
  const ports = portEntry === undefined ? null : readPorts(walk, portEntry.value);
  const protocol = readAssertProtocol(walk, fields.get("protocol"));
  const scopeEntry = fields.get("scope");
  const scope =
    scopeEntry === undefined ? AGENT_SCOPE : (readScopeName(walk, scopeEntry.value, names) ?? AGENT_SCOPE);
  return { kind, direction: "outbound", who, ports, protocol, scope, span };
}

function readAssertProtocol(walk: Walk, entry: MapEntry | undefined): "tcp" | "udp" | null {
  return entry === undefined ? null : wordOf(walk, entry.value, "`protocol`", PROTOCOLS);
}
