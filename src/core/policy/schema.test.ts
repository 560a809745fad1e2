import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parse as parseYaml } from "yaml";
import { parsePolicy } from "./parse/parse.ts";
import { policyJsonSchema, policySchema } from "./schema.ts";

const SCHEMA_FILE = new URL("../../../schema/policy.schema.json", import.meta.url);

function isParsed(text: string): boolean {
  return parsePolicy(text, { nowMs: 0 }).document !== null;
}

function isInShape(text: string): boolean {
  const value: unknown = parseYaml(text, { schema: "core", version: "1.2" });
  return policySchema.safeParse(value).success;
}

test("schema/policy.schema.json is what script/generate-schema.ts writes", () => {
  assert.equal(readFileSync(SCHEMA_FILE, "utf8"), `${JSON.stringify(policyJsonSchema(), null, 2)}\n`);
});

const inb = (rule: string): string => `version: 1\ninbound:\n  - {${rule}, why: administration}\n`;
const out = (rule: string): string => `version: 1\noutbound:\n  - {${rule}, why: needed for work}\n`;

const GOOD = [
  "version: 1\n",
  "version: 1\nmode: observe\n",
  "version: 1\nmode: {outbound: observe}\n",
  "version: 1\ninbound: []\noutbound: []\n",
  inb("allow: ssh, from: any"),
  inb("allow: 22, from: 192.0.2.0/24"),
  inb('allow: "22", from: ["2001:db8::/32", 192.0.2.1]'),
  inb("allow: [ssh, 8000-8080, udp/53], from: {country: [DE, no]}, except: 192.0.2.9, rate: 60/minute"),
  inb("deny: any, denial: drop, mode: enforce, owner: ops, expires: 2030-01-01, id: no-one"),
  inb("deny: 443, expires: 2030-01-01T00:00:00Z"),
  out("allow: a.example.com"),
  out('allow: ["*.example.com", 203.0.113.7, "::/0"], port: [443, "80", 8000-8080], protocol: udp'),
  out("deny: container:x, scope: [agent], private: true"),
  out("use: openclaw"),
  out("use: [openclaw, telegram]"),
  "version: 1\nscopes: {agent: {user: openclaw}, a: {user: 0}, b: {unit: x.service}, c: {cgroup: /x}, d: {docker: n}, e: {netns: n}}\n",
  "version: 1\nsets: {a: [10.0.0.0/8], b: {file: x.txt}, c: []}\nzones: {lan: eth1, vpn: [wg*], dmz: {interfaces: br0}}\n",
  "version: 1\ndefaults: {inbound: drop, outbound: refuse, containers: allow, require: owner}\n",
  "version: 1\ndefaults: {require: [owner]}\nalerts: [{to: ops}]\n",
  "version: 1\naccept_risk: {guard: guard.cdp, reason: behind a tunnel, by: ops, expires: 2030-01-01}\n",
  "version: 1\naccept_risk: [{guard: cdp, reason: behind a tunnel, by: ops, expires: 2030-01-01}, {scope: agent, reason: shared login, by: ops, expires: 2030-01-01}]\n",
  'version: 1\naccept_risk: [{name: "*.github.io", reason: our own pages, by: ops, expires: 2030-01-01}, {use: public-web, reason: research agent, by: ops, expires: 2030-01-01}]\n',
  'version: 1\ntests:\n  - {inbound: {from: 192.0.2.1, port: 22}, expect: refuse}\n  - {outbound: {to: "a.example.com:443"}, expect: drop}\n  - {outbound: {to: a.example.com, port: 443, protocol: udp, scope: agent}, expect: accept}\n',
  "version: 1\nassert:\n  - never: {outbound: 10.0.0.0/8}\n  - {never: {inbound: any, port: 18789}, why: private}\n  - always: {inbound: [192.0.2.1], port: [22], protocol: tcp}\n",
];

for (const text of GOOD) {
  test(`parser and schema accept ${JSON.stringify(text.slice(11, 90))}`, () => {
    assert.deepEqual([isParsed(text), isInShape(text)], [true, true]);
  });
}

/** Mistakes of shape, which an editor shows as well. */
const BAD = [
  "version: 2\n",
  'version: "1"\n',
  "mode: observe\n",
  "- version: 1\n",
  "version: 1\nmodes: observe\n",
  "version: 1\nmode: enforced\n",
  "version: 1\nmode: {inboud: observe}\n",
  "version: 1\ninbound:\n",
  "version: 1\ninbound: {allow: ssh}\n",
  "version: 1\nhttp: {}\n",
  "version: 1\ninbound: [ssh]\n",
  "version: 1\ninbound: [{allow: ssh, from: any}]\n",
  "version: 1\ninbound: [{allow: ssh, from: any, why: short}]\n",
  inb("allow: ssh, from: any, port: 22"),
  inb("allow: [], from: any"),
  inb("allow: true, from: any"),
  inb("allow: 0, from: any"),
  inb("allow: 22.5, from: any"),
  inb("allow: ssh, from: {country: Germany}"),
  inb("allow: ssh, from: any, rate: 60"),
  inb("allow: ssh, from: any, id: SSH"),
  inb("deny: ssh, denial: reject"),
  out("allow: {a.example.com: 443}"),
  out("allow: null"),
  out("allow: a.example.com, port: 65536"),
  out("allow: a.example.com, port: -1"),
  out("allow: a.example.com, port: https"),
  out("allow: a.example.com, protocol: icmp"),
  out("allow: a.example.com, private: yes"),
  out("allow: a.example.com, from: any"),
  "version: 1\nscopes: [agent]\n",
  "version: 1\nscopes: {agent: {usr: x}}\n",
  "version: 1\nsets: {a: 10.0.0.0/8}\n",
  "version: 1\nzones: {lan: [averyverylonginterface]}\n",
  "version: 1\ndefaults: {inbound: reject}\n",
  "version: 1\naccept_risk: {guard: cdp, by: ops, expires: 2030-01-01}\n",
  "version: 1\naccept_risk: {guard: nope, reason: behind a tunnel, by: ops, expires: 2030-01-01}\n",
  "version: 1\ntests: [{inbound: {from: 192.0.2.1, port: 22}, expect: deny}]\n",
  "version: 1\nassert: [{never: {inbound: any, prt: 22}}]\n",
];

for (const text of BAD) {
  test(`parser and schema refuse ${JSON.stringify(text.slice(0, 90))}`, () => {
    assert.deepEqual([isParsed(text), isInShape(text)], [false, false]);
  });
}

/** What only the parser knows: the schema may be looser. */
for (const text of [
  inb("allow: shh, from: any"),
  inb("allow: ssh"),
  inb("from: any"),
  inb("allow: ssh, deny: http, from: any"),
  out("allow: com"),
  out("allow: a.example.com:443"),
  inb("allow: ssh, from: any, expires: 2027-02-30"),
]) {
  test(`only the parser refuses ${JSON.stringify(text.slice(11, 90))}`, () => {
    assert.deepEqual([isParsed(text), isInShape(text)], [false, true]);
  });
}

interface BadRow {
  readonly name: string;
  readonly text: string;
}

test("the schema describes every key for editors", () => {
  const schema = policyJsonSchema() as { properties: Record<string, unknown>; required: string[] };
  assert.deepEqual(schema.required, ["version"]);
  assert.equal(Object.keys(schema.properties).length, 12);
});

test("no text that the parser takes is refused by the schema, also among near misses", () => {
  const file = new URL("../../../test/cases/policy-errors.json", import.meta.url);
  const rows = JSON.parse(readFileSync(file, "utf8")) as BadRow[];
  // Each row with each of its lines left out: some become valid.
  let valid = 0;
  for (const { text, name } of rows) {
    const lines = text.split("\n");
    for (const at of lines.keys()) {
      const less = lines.filter((_, line) => line !== at).join("\n");
      if (!isParsed(less) || parseYaml(less) === null) continue;
      valid += 1;
      assert.ok(isInShape(less), `${name}: ${less}`);
    }
  }
  assert.ok(valid > 100, `${valid} became valid`);
});
