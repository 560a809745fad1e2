import assert from "node:assert/strict";
import { test } from "node:test";
import type { Diagnostic } from "../../base/diagnostic.ts";
import type { OutboundRule, PolicyDocument } from "../document.ts";
import { parsePolicy } from "./parse.ts";
import { POLICY_BYTES_MAX, RULES_MAX } from "./vocabulary.ts";

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

function outbound(rule: string, more = ""): OutboundRule {
  const found = accepted(`version: 1\noutbound:\n  - {${rule}, why: needed for work}\n${more}`).outbound?.[0];
  assert.ok(found !== undefined);
  return found;
}

test("the common case, as init writes it, is read without a word", () => {
  const { document, diagnostics } = parse(`version: 1
mode: {inbound: enforce, outbound: observe}

inbound:
  - allow: ssh
    from: any
    why: administration, keys only

outbound:
  - use: [openclaw, anthropic, telegram]
    why: what this agent was built to reach
  - allow: [api.github.com, codeload.github.com, raw.githubusercontent.com]
    why: skills installed from GitHub
`);
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(document?.mode, { inbound: "enforce", outbound: "observe" });
  assert.deepEqual(
    document?.inbound.map(({ id }) => id),
    ["allow-ssh"],
  );
  assert.deepEqual(
    document?.outbound?.map(({ id }) => id),
    ["use-openclaw", "allow-api-github-com"],
  );
});

for (const [name, text] of [
  ["an empty file", ""],
  ["only comments", "# nothing here yet\n\n"],
  ["only a document start", "---\n"],
  ["only a byte order mark", "\uFEFF"],
] as const) {
  test(`${name} denies everything and says so loudly`, () => {
    const { document, diagnostics } = parse(text);
    assert.deepEqual(diagnostics.map(codeAt), ["empty@1:1"]);
    assert.equal(diagnostics[0]?.severity, "warning");
    assert.deepEqual(document?.mode, { inbound: "enforce", outbound: "enforce" });
    assert.deepEqual([document?.inbound, document?.outbound], [[], []]);
  });
}

test("absent outbound judges nothing outbound, an empty list denies everything", () => {
  assert.equal(accepted("version: 1\n").outbound, null);
  assert.deepEqual(accepted("version: 1\noutbound: []\n").outbound, []);
});

test("absent mode means enforce, also for the direction a map leaves out", () => {
  assert.deepEqual(accepted("version: 1\n").mode, { inbound: "enforce", outbound: "enforce" });
  const observed = accepted("version: 1\nmode: {outbound: observe}\n").mode;
  assert.deepEqual(observed, { inbound: "enforce", outbound: "observe" });
  assert.deepEqual(accepted("version: 1\nmode: observe\n").mode, { inbound: "observe", outbound: "observe" });
});

test("CRLF and a byte order mark change nothing but are read", () => {
  const text = "version: 1\ninbound:\n  - allow: ssh\n    from: any\n    why: administration\n";
  assert.deepEqual(accepted(`\uFEFF${text.replaceAll("\n", "\r\n")}`), accepted(text));
});

test("places do not move because of CRLF or a byte order mark", () => {
  assert.deepEqual(said("\uFEFFversoin: 1\r\nmode: enforced\r\n"), [
    "unknown-key@1:1",
    "missing-key@1:1",
    "unknown-value@2:7",
  ]);
});

test("a file of exactly the largest size is read, one byte more is not", () => {
  const head = "version: 1\n#";
  const text = head + "x".repeat(POLICY_BYTES_MAX - head.length);
  assert.deepEqual(said(text), []);
  assert.deepEqual(said(`${text}x`), ["too-large@1:1"]);
  const wide = `${head}${"\u00e9".repeat((POLICY_BYTES_MAX - head.length) / 2)}`;
  assert.deepEqual(said(wide), []);
  assert.deepEqual(said(`${wide}x`), ["too-large@1:1"]);
});

test("as many rules as allowed are read, one more is not", () => {
  const rule = "  - {allow: 22, from: any, why: administration}\n";
  assert.deepEqual(said(`version: 1\ninbound:\n${rule.repeat(RULES_MAX)}`), []);
  assert.deepEqual(said(`version: 1\ninbound:\n${rule.repeat(RULES_MAX + 1)}`), [
    `too-many-rules@${RULES_MAX + 3}:5`,
  ]);
});

test("a broad wildcard is read when a risk names it, and ends with the risk", () => {
  const risk =
    "accept_risk: {name: '*.github.io', reason: our own pages only, by: ops, expires: 2027-03-01}\n";
  const rule = outbound('allow: "*.github.io"', risk);
  assert.equal(rule.expiresMs, Date.UTC(2027, 2, 2));
  assert.equal(outbound('deny: "*.github.io"', risk).expiresMs, null);
  const other = risk.replace("github", "gitlab");
  assert.deepEqual(
    said(`version: 1\noutbound:\n  - {allow: "*.github.io", why: needed for work}\n${other}`),
    ["public-suffix@3:13"],
  );
});

test("public-web is read when it is accepted, and an ended acceptance takes the rule with it", () => {
  const text = (day: string): string => `version: 1
accept_risk: [{use: public-web, reason: research agent, by: ops, expires: ${day}}]
outbound:
  - {allow: public-web, why: needed for research}
`;
  assert.deepEqual(said(text("2027-01-01")), []);
  assert.deepEqual(said(text("2026-01-01")), ["expired@2:75", "expired@4:5"]);
});

test("guards are named with or without their prefix", () => {
  const entry = (guard: string): string =>
    `version: 1\naccept_risk: [{guard: ${guard}, reason: behind a tunnel, by: ops, expires: 2027-01-01}]\n`;
  assert.deepEqual(accepted(entry("guard.gateway")).acceptRisk[0]?.risk, { kind: "guard", guard: "gateway" });
  assert.deepEqual(accepted(entry("gateway")).acceptRisk[0]?.risk, { kind: "guard", guard: "gateway" });
});

test("host bits are a warning with the network", () => {
  const { document, diagnostics } = parse(
    "version: 1\ninbound:\n  - {allow: ssh, from: 192.0.2.77/24, why: administration}\n",
  );
  assert.deepEqual(diagnostics.map(codeAt), ["host-bits@3:24"]);
  assert.match(diagnostics[0]?.message ?? "", /`192\.0\.2\.0\/24`/);
  assert.equal(diagnostics[0]?.severity, "warning");
  assert.ok(document !== null);
});

for (const [list, expected] of [
  ["192.0.2.0, 192.0.2.1, 192.0.2.2, 192.0.2.3", ["192.0.2.0/30"]],
  ["192.0.2.3, 192.0.2.1, 192.0.2.2, 192.0.2.0", ["192.0.2.0/30"]],
  ["192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4", []],
  ["192.0.2.0, 192.0.2.1", []],
  [
    "192.0.2.8, 192.0.2.9, 192.0.2.10, 192.0.2.11, 192.0.2.12, 192.0.2.13, 192.0.2.14, 192.0.2.15",
    ["192.0.2.8/29"],
  ],
  ['"2001:db8::0", "2001:db8::1", "2001:db8::2", "2001:db8::3"', ["2001:db8::/126"]],
] as const) {
  test(`the list ${list} is ${expected.length === 0 ? "no network" : expected.join()}`, () => {
    const { diagnostics } = parse(
      `version: 1\ninbound:\n  - {allow: ssh, from: [${list}], why: administration}\n`,
    );
    assert.deepEqual(
      diagnostics.map(({ message, severity }) => `${severity} ${/`(.*)`/.exec(message)?.[1]}`),
      expected.map((network) => `notice ${network}`),
    );
  });
}

test("a set that says something twice is warned about, two sets that meet are noticed", () => {
  const { diagnostics } = parse(`version: 1
sets:
  a: [10.0.0.0/8, 192.0.2.0/24, 10.1.0.0/16, 192.0.2.0/24]
  b: [10.2.0.0/16, 2001:db8::/32]
`);
  assert.deepEqual(
    diagnostics.map((found) => `${found.severity} ${codeAt(found)}`),
    ["warning redundant@3:33", "warning redundant@3:46", "notice sets-overlap@4:7"],
  );
});

test("scopes, zones, sets and defaults are read", () => {
  const document = accepted(`version: 1
scopes:
  agent: {user: openclaw}
  build: {user: 1001}
  unit: {unit: openclaw.service}
  slice: {cgroup: /seawall.slice/agent}
  box: {docker: openclaw_default}
  ns: {netns: tenant-1}
zones: {lan: eth1, vpn: [wg*, tun0], dmz: {interfaces: [br0.7]}}
sets: {office: [192.0.2.0/24], list: {file: lists/drop.txt}, none: []}
defaults: {inbound: drop, containers: allow, require: [owner]}
alerts: [{mail: ops@example.com}]
`);
  assert.deepEqual(
    document.scopes.map(({ target }) => target),
    [
      { kind: "user", user: "openclaw" },
      { kind: "user", user: 1001 },
      { kind: "unit", unit: "openclaw.service" },
      { kind: "cgroup", path: "/seawall.slice/agent" },
      { kind: "docker", network: "openclaw_default" },
      { kind: "netns", name: "tenant-1" },
    ],
  );
  assert.deepEqual(
    document.zones.map(({ interfaces }) => interfaces),
    [["eth1"], ["wg*", "tun0"], ["br0.7"]],
  );
  assert.deepEqual(
    document.sets.map(({ file }) => file),
    [null, "lists/drop.txt", null],
  );
  const defaults = { inbound: "drop", outbound: "refuse", containers: "allow", requireOwner: true };
  assert.deepEqual(document.defaults, defaults);
});

test("tests and assertions are read", () => {
  const document = accepted(`version: 1
outbound: []
tests:
  - {inbound: {from: 203.0.113.9, port: 22}, expect: refuse}
  - {outbound: {to: "api.example.com:443"}, expect: refuse}
  - {outbound: {to: "[2001:db8::1]:853", protocol: udp, scope: agent}, expect: drop}
assert:
  - never: {outbound: [10.0.0.0/8, "*.io"]}
  - never: {inbound: any, port: 18789}
    why: the gateway is private
  - always: {inbound: 192.0.2.1, port: 22, protocol: tcp}
`);
  assert.deepEqual(
    document.tests.map(({ flow }) => flow),
    [
      { direction: "inbound", from: "203.0.113.9", port: 22, protocol: "tcp", zone: "world" },
      { direction: "outbound", to: "api.example.com", port: 443, protocol: "tcp", scope: "agent" },
      { direction: "outbound", to: "2001:db8::1", port: 853, protocol: "udp", scope: "agent" },
    ],
  );
  assert.deepEqual(
    document.asserts.map(
      ({ kind, direction, who, ports }) => `${kind} ${direction} ${who.length} ${ports?.[0]?.first}`,
    ),
    ["never outbound 2 undefined", "never inbound 1 18789", "always inbound 1 22"],
  );
});

test("why is trimmed and may be folded over lines", () => {
  const text =
    "version: 1\ninbound:\n  - allow: ssh\n    from: any\n    why: >-\n      administration\n      with keys\n";
  assert.equal(accepted(text).inbound[0]?.why, "administration with keys");
});

test("a message cannot carry control or direction characters of the file", () => {
  const { diagnostics } = parse('version: 1\n"mode\\u202e\\e[31m": enforce\n');
  assert.match(diagnostics[0]?.message ?? "", /^`mode\\u\{202e\}\\u\{1b\}\[31m` /);
});

test("more mistakes than can be shown are counted", () => {
  const { diagnostics } = parse(
    `version: 1\n${Array.from({ length: 1500 }, (_, at) => `x${at}: 1\n`).join("")}`,
  );
  assert.equal(diagnostics.length, 1_001);
  assert.equal(diagnostics.at(-1)?.message, "500 more problems are not shown");
});
