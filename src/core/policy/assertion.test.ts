import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { seededRandom } from "../../../test/support/seeded-random.ts";
import { checkPolicy } from "./check.ts";
import { evaluator } from "./evaluate.ts";
import { parseFlow } from "./flow-input.ts";

const NOW_MS = Date.UTC(2026, 10, 21, 12);
const readSets = () => ({ sets: new Map(), diagnostics: [] });

/** What the assertions of a policy give: the codes of errors, and the policy without them. */
function errorsOf(main: string, dropIn: string): string[] {
  const dropIns = dropIn === "" ? [] : [{ file: "policy.d/a.yaml", text: `version: 1\n${dropIn}` }];
  const { diagnostics } = checkPolicy(`version: 1\n${main}`, { nowMs: NOW_MS, dropIns, readSets });
  return diagnostics.flatMap(({ code, severity, span }) =>
    severity === "error" ? [`${code.replace("policy/", "")} ${span.file ?? "main"}:${span.line}`] : [],
  );
}

const rule = (text: string): string => `  - {${text}, why: a reason long enough}\n`;
const inb = (...rules: readonly string[]): string => `inbound:\n${rules.map(rule).join("")}`;
const out = (...rules: readonly string[]): string => `outbound:\n${rules.map(rule).join("")}`;
const never = (text: string): string => `assert: [{never: {${text}}}]\n`;
const always = (text: string): string => `assert: [{always: {${text}}}]\n`;
const FAILED = ["assert-failed main:2"];

describe("a drop-in cannot relax an assertion of the main file", () => {
  const ROWS: readonly [name: string, main: string, dropIn: string, errors: readonly string[]][] = [
    ["by a rule that allows", never("inbound: any, port: 5432"), inb("allow: 5432, from: 192.0.2.1"), FAILED],
    [
      "by a range of ports around it",
      never("inbound: any, port: 5432"),
      inb("allow: 5000-6000, from: 192.0.2.1"),
      FAILED,
    ],
    [
      "by an allow that a deny leaves one address of",
      never("inbound: 198.51.100.0/24, port: 5432"),
      inb(
        "allow: 5432, from: any",
        "deny: 5432, from: 198.51.100.0/25",
        "deny: 5432, from: 198.51.100.129/32",
      ),
      FAILED,
    ],
    [
      "by a deny that is only watched",
      never("inbound: any, port: 5432"),
      inb("allow: 5432, from: any", "deny: 5432, from: any, mode: observe"),
      FAILED,
    ],
    [
      "by a zone of its own",
      never("inbound: any, port: 5432"),
      `zones: {inside: eth0}\n${inb("allow: 5432, from: inside")}`,
      FAILED,
    ],
    [
      "by a zone that the rules of the main file do not know",
      `${always("inbound: 192.0.2.1, port: 22")}${inb("allow: ssh, from: any, except: inside")}`,
      "zones: {inside: eth0}\n",
      FAILED,
    ],
    [
      "by a deny",
      `${always("inbound: 192.0.2.1, port: 22")}${inb("allow: ssh, from: any")}`,
      inb("deny: ssh, from: 192.0.2.0/24"),
      FAILED,
    ],
    [
      "by one name under a wildcard",
      `${never('outbound: "*.example.com"')}outbound: []\n`,
      out("allow: files.example.com"),
      FAILED,
    ],
    [
      "by a wildcard under a wildcard",
      `${never('outbound: "*.example.com"')}outbound: []\n`,
      out('allow: "*.cdn.example.com"'),
      FAILED,
    ],
    [
      "by a name whose addresses may be private",
      `${never("outbound: 10.0.0.0/8")}outbound: []\n`,
      out("allow: nas.example.com, private: true"),
      FAILED,
    ],
    [
      "by the set that it stands on",
      never("inbound: partners, port: 5432"),
      "sets: {partners: []}\n",
      ["drop-in main:2"],
    ],
    [
      "by the scope that it stands on",
      `${never("outbound: 192.0.2.1, scope: bot")}outbound: []\n`,
      "scopes: {bot: {user: bot}}\n",
      ["drop-in main:2"],
    ],
    [
      "by so many ranges that it cannot be judged any more",
      never("inbound: any"),
      inb(
        `allow: 5000-65000, from: [${Array.from({ length: 500 }, (_, at) => `9.${at >> 8}.${at & 255}.0/25`).join(", ")}]`,
        `deny: [${Array.from({ length: 250 }, (_, at) => 5000 + at * 2).join(", ")}], from: any`,
        "deny: 5000-65000, from: any",
      ),
      ["assert-unjudgeable main:2"],
    ],
    [
      "but it may allow what the assertion does not speak of",
      never("inbound: 198.51.100.0/24, port: 5432"),
      inb("allow: 5432, from: 203.0.113.0/24", "allow: 5433, from: any", "allow: udp/53, from: any"),
      [],
    ],
    [
      "and an assertion of its own holds for every file",
      inb("allow: ssh, from: any"),
      never("inbound: any, port: 22"),
      ["assert-failed policy.d/a.yaml:2"],
    ],
    [
      "and a set of its own is for its own assertions",
      inb("allow: ssh, from: 192.0.2.1"),
      `sets: {rest: [198.51.100.0/24]}\n${never("inbound: rest, port: 22")}`,
      [],
    ],
  ];
  for (const [name, main, dropIn, errors] of ROWS) {
    test(name, () => assert.deepEqual(errorsOf(main, dropIn), errors));
  }
});

describe("a drop-in cannot relax a guard", () => {
  const ROWS: readonly [name: string, dropIn: string, flow: Record<string, unknown>, guard: string][] = [
    [
      "by a rule",
      inb("allow: 18789, from: any"),
      { direction: "inbound", from: "203.0.113.9", port: 18_789 },
      "guard.gateway",
    ],
    [
      "by a zone of its own",
      `zones: {inside: eth0}\n${inb("allow: 18789, from: inside")}`,
      { direction: "inbound", from: "203.0.113.9", port: 18_789, zone: "inside" },
      "guard.gateway",
    ],
    [
      "by a scope of its own",
      `scopes: {bot: {user: bot}}\n${out("allow: 169.254.169.254, port: 80, scope: bot")}`,
      { direction: "outbound", host: null, address: "169.254.169.254", port: 80, scope: "bot" },
      "guard.metadata",
    ],
  ];
  for (const [name, dropIn, flow, guard] of ROWS) {
    test(name, () => {
      const dropIns = [{ file: "policy.d/a.yaml", text: `version: 1\n${dropIn}` }];
      const { policy } = checkPolicy("version: 1\noutbound: []\n", { nowMs: NOW_MS, dropIns, readSets });
      const parsed = parseFlow({ protocol: "tcp", ...flow });
      assert.ok(policy !== null && parsed.ok);
      const { verdict, rule: decided } = evaluator(policy)(parsed.flow, NOW_MS);
      assert.deepEqual([verdict, decided], ["refuse", guard]);
    });
  }

  test("by accepting its risk", () => {
    const risk = "{guard: gateway, reason: a reason long enough, by: ops, expires: 2030-01-01}";
    assert.deepEqual(errorsOf("", `accept_risk: [${risk}]\n`), ["drop-in policy.d/a.yaml:2"]);
  });
});

/** Sixteen addresses by eight ports, small enough to ask for each of them. */
const ADDRESSES = Array.from({ length: 16 }, (_, at) => `192.0.2.${at}`);
const PORTS = [1, 2, 3, 4, 5, 6, 7, 8];

test("an assertion holds exactly where every single flow of it does", () => {
  const random = seededRandom(4_711);
  const prefix = (): string =>
    `192.0.2.${random.pick([0, 2, 4, 8, 12])}/${random.pick([27, 28, 29, 30, 31, 32])}`;
  const ports = (): string => {
    const first = 1 + random.below(8);
    return random.once(4) ? "any" : `${random.once(2) ? "tcp" : "udp"}/${first}-${first + random.below(6)}`;
  };
  const seen = { holds: 0, fails: 0 };
  for (let round = 0; round < 1_500; round += 1) {
    const rules = Array.from({ length: 1 + random.below(6) }, () => {
      const action = random.once(2) ? "allow" : "deny";
      const mode = random.once(6) ? ", mode: observe" : "";
      return `${action}: ${ports()}, from: [${prefix()}, ${prefix()}]${mode}`;
    });
    const kind = random.once(2) ? "never" : "always";
    const text = `version: 1\n${inb(...rules)}`;
    const asserted = `assert: [{${kind}: {inbound: 192.0.2.0/28, port: 1-8, protocol: tcp}}]\n`;
    const { policy } = checkPolicy(text, { nowMs: NOW_MS, readSets });
    assert.ok(policy !== null, text);
    const judge = evaluator(policy);
    const expected = ADDRESSES.every((from) =>
      PORTS.every((port) => {
        const parsed = parseFlow({ direction: "inbound", from, port, protocol: "tcp" });
        assert.ok(parsed.ok);
        const { verdict, observed } = judge(parsed.flow, NOW_MS);
        return (verdict === "accept" || observed) === (kind === "always");
      }),
    );
    const holds = checkPolicy(text + asserted, { nowMs: NOW_MS, readSets }).policy !== null;
    assert.equal(holds, expected, text + asserted);
    seen[holds ? "holds" : "fails"] += 1;
  }
  assert.ok(seen.holds > 200 && seen.fails > 200, JSON.stringify(seen));
});
