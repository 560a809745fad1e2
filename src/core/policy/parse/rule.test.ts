import assert from "node:assert/strict";
import { test } from "node:test";
import type { Diagnostic } from "../../base/diagnostic.ts";
import { formatPattern } from "../../net/hostname.ts";
import { formatPrefix } from "../../net/prefix.ts";
import type { InboundRule, OutboundRule, PolicyDocument } from "../document.ts";
import { parsePolicy } from "./parse.ts";

const NOW_MS = Date.UTC(2026, 10, 1);
const PRESETS = new Set(["openclaw", "anthropic", "telegram"]);

function parse(text: string) {
  return parsePolicy(text, { nowMs: NOW_MS, presets: PRESETS });
}

function accepted(text: string): PolicyDocument {
  const { document, diagnostics } = parse(text);
  assert.ok(document !== null, JSON.stringify(diagnostics));
  return document;
}

function said(text: string): string[] {
  return parse(text).diagnostics.map(codeAt);
}

function codeAt({ code, span }: Diagnostic): string {
  return `${code.replace(/^policy\//, "")}@${span.line}:${span.column}`;
}

function inbound(rule: string): InboundRule {
  const [found] = accepted(`version: 1\ninbound:\n  - {${rule}, why: administration}\n`).inbound;
  assert.ok(found !== undefined);
  return found;
}

function outbound(rule: string, more = ""): OutboundRule {
  const found = accepted(`version: 1\noutbound:\n  - {${rule}, why: needed for work}\n${more}`).outbound?.[0];
  assert.ok(found !== undefined);
  return found;
}

for (const [rule, expected] of [
  ["allow: ssh, from: any", ["tcp 22-22"]],
  ["allow: 8082, from: any", ["tcp 8082-8082"]],
  ["deny: 8082", ["both 8082-8082"]],
  ["deny: 8000-8080", ["both 8000-8080"]],
  ['allow: "8000-8080", from: any', ["tcp 8000-8080"]],
  ["allow: udp/53, from: any", ["udp 53-53"]],
  ["allow: tcp/1-65535, from: any", ["tcp 1-65535"]],
  ["deny: ssh", ["tcp 22-22"]],
  ["deny: any", ["every 0-65535"]],
  ["allow: dns, from: any", ["both 53-53"]],
  ["allow: mosh, from: any", ["udp 60000-61000"]],
  ["allow: [http, https, wireguard], from: any", ["tcp 80-80", "tcp 443-443", "udp 51820-51820"]],
] as const) {
  test(`inbound {${rule}} means ${expected.join(" and ")}`, () => {
    const services = inbound(rule).services.map(
      ({ protocol, ports }) => `${protocol} ${ports.first}-${ports.last}`,
    );
    assert.deepEqual(services, expected);
  });
}

test("a deny without from is about every source", () => {
  assert.deepEqual(inbound("deny: ssh").from, [{ kind: "any" }]);
});

test("sources keep their kinds", () => {
  const rule = accepted(`version: 1
sets: {office: [192.0.2.0/24]}
zones: {lan: eth1}
inbound:
  - allow: ssh
    from: [2001:db8::/32, "::ffff:192.0.2.9", office, lan, world, {country: [de, NO, de]}]
    except: 192.0.2.7
    rate: 60/minute
    why: administration
`).inbound[0];
  const texts = rule?.from.map((term) => {
    if (term.kind === "prefix") return formatPrefix(term.prefix);
    if (term.kind === "word") return `word ${term.ref.name}`;
    return term.kind === "country" ? term.codes.join("+") : term.kind;
  });
  assert.deepEqual(texts, ["2001:db8::/32", "192.0.2.9", "word office", "word lan", "word world", "DE+NO"]);
  assert.deepEqual(rule?.rate, { count: 60, per: "minute" });
  assert.equal(rule?.except.length, 1);
});

test("destinations keep their kinds", () => {
  const rule = outbound(
    'allow: [API.Example.COM., "*.example.com", "**.example.org", 203.0.113.7, "[2001:db8::1]", 203.0.113.0/24, vendors, container:ollama, github.io, {country: NO}]',
    "sets: {vendors: [198.51.100.0/24]}\n",
  );
  const texts = rule.to.map((term) => {
    if (term.kind === "name") return formatPattern(term.pattern);
    if (term.kind === "prefix") return formatPrefix(term.prefix);
    return "ref" in term ? `${term.kind} ${term.ref.name}` : term.kind;
  });
  assert.deepEqual(texts, [
    "api.example.com",
    "*.example.com",
    "*.example.org",
    "203.0.113.7",
    "2001:db8::1",
    "203.0.113.0/24",
    "set vendors",
    "container ollama",
    "github.io",
    "country",
  ]);
});

test("an outbound rule without port and scope says so by null and agent", () => {
  const rule = outbound("allow: a.example.com");
  assert.deepEqual([rule.ports, rule.protocol, rule.private], [null, null, false]);
  assert.deepEqual(
    rule.scopes.map(({ name }) => name),
    ["agent"],
  );
});

test("ports are numbers, ranges or a list of both", () => {
  const rule = outbound("allow: a.example.com, port: [80, 8000-8080, '443'], protocol: udp, private: true");
  assert.deepEqual(rule.ports, [
    { first: 80, last: 80 },
    { first: 8000, last: 8080 },
    { first: 443, last: 443 },
  ]);
  assert.deepEqual([rule.protocol, rule.private], ["udp", true]);
});

for (const [text, ms] of [
  ["2027-01-31", Date.UTC(2027, 1, 1)],
  ["2028-02-29", Date.UTC(2028, 2, 1)],
  ["2027-01-31T18:00:00Z", Date.UTC(2027, 0, 31, 18)],
  ["2027-01-31T18:00:00.25+02:00", Date.UTC(2027, 0, 31, 16, 0, 0, 250)],
  ["2027-01-31t18:00:00-05:30", Date.UTC(2027, 0, 31, 23, 30)],
] as const) {
  test(`expires ${text} ends at ${new Date(ms).toISOString()}`, () => {
    assert.equal(inbound(`allow: ssh, from: any, expires: "${text}"`).expiresMs, ms);
    assert.equal(inbound(`allow: ssh, from: any, expires: ${text}`).expiresMs, ms);
  });
}

for (const text of [
  "2027-02-29",
  "2027-13-01",
  "2027-00-10",
  "2027-01-31T24:00:00Z",
  "2027-01-31T10:00:60Z",
]) {
  test(`expires ${text} does not exist`, () => {
    const rule = `version: 1\ninbound:\n  - {allow: ssh, from: any, why: administration, expires: "${text}"}\n`;
    assert.deepEqual(said(rule), ["date@3:59"]);
  });
}

test("an expired allow and an expired deny are different warnings", () => {
  const { document, diagnostics } = parse(`version: 1
inbound:
  - {allow: ssh, from: any, why: administration, expires: 2026-10-31}
  - {deny: http, why: administration, expires: 2026-10-31}
`);
  assert.ok(document !== null);
  assert.deepEqual(diagnostics.map(codeAt), ["expired@3:59", "expired@4:48"]);
  assert.match(diagnostics[0]?.message ?? "", /no longer allows/);
  assert.match(diagnostics[1]?.message ?? "", /a deny stays/);
});

test("a rule is good until the last millisecond of its last day", () => {
  const text =
    "version: 1\ninbound:\n  - {allow: ssh, from: any, why: administration, expires: 2026-10-31}\n";
  const last = parsePolicy(text, { nowMs: Date.UTC(2026, 10, 1) - 1 });
  assert.deepEqual(last.diagnostics, []);
});

test("ids do not depend on the order of the rules", () => {
  const rules = [
    "  - {allow: a.example.com, port: 443, why: needed for work}\n",
    "  - {allow: a.example.com, port: 8443, why: needed for work}\n",
    "  - {allow: a.example.com, port: 80, why: needed for work}\n",
  ];
  const idsByPort = (list: readonly string[]): string[] =>
    (accepted(`version: 1\noutbound:\n${list.join("")}`).outbound ?? [])
      .map(({ id, ports }) => `${ports?.[0]?.first} ${id}`)
      .sort();
  assert.deepEqual(idsByPort(rules), idsByPort([...rules].reverse()));
  assert.equal(new Set(idsByPort(rules)).size, 3);
});

test("a derived id makes room for an id in the file", () => {
  const { inbound: rules } = accepted(`version: 1
inbound:
  - {allow: ssh, from: any, why: administration}
  - {id: allow-ssh, allow: ssh, from: 192.0.2.1, why: administration}
`);
  assert.deepEqual(
    rules.map(({ id }) => id),
    ["allow-ssh-2", "allow-ssh"],
  );
});

test("ids of long names stay within their length", () => {
  const name = `${"a".repeat(60)}.example.com`;
  const rule = `  - {allow: ${name}, why: needed for work}\n`;
  const ids = accepted(`version: 1\noutbound:\n${rule.repeat(11)}`).outbound?.map(({ id }) => id) ?? [];
  assert.equal(new Set(ids).size, 11);
  for (const id of ids) assert.match(id, /^[a-z0-9][a-z0-9._-]{0,47}$/);
});

for (const [name, escape] of [
  ["turns the direction", "\\u202e"],
  ["isolates a direction", "\\u2066"],
  ["separates lines", "\\u2028"],
  ["is a control character", "\\u0085"],
] as const) {
  test(`a reason with a character that ${name} is refused`, () => {
    const rule = `version: 1\ninbound:\n  - {allow: ssh, from: any, why: "administ${escape}ration"}\n`;
    assert.deepEqual(said(rule), ["control-character@3:34"]);
  });
}
