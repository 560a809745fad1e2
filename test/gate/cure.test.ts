/** Every reason of a refusal has a cure, and each cure that is a line of policy is tried: what was refused then passes. */
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { TYPE, RCODE } from "../../src/core/dns/message.ts";
import { refusalBody, refusalKey, refusalOf } from "../../src/core/gate/refusal.ts";
import { parseIp } from "../../src/core/net/ip.ts";
import { type Cure, cureOf, cureText, type Refused } from "../../src/core/policy/cure.ts";
import { type Decision, REASON_CODES, type ReasonCode } from "../../src/core/policy/decision.ts";
import { evaluate } from "../../src/core/policy/evaluate.ts";
import { NOW_MS, flowOf, policyOf } from "../support/policy.ts";
import { askUdp } from "./dns-client.ts";
import { lastRefusal, openRoom, type Room } from "./room.ts";

const BASE: Refused = {
  direction: "outbound",
  reason: "default",
  rule: null,
  place: "agent",
  host: null,
  address: null,
  source: null,
  port: null,
  protocol: "tcp",
};

function ruleOf(cure: Cure): string {
  assert.equal(cure.kind, "rule");
  assert.ok(cure.kind === "rule");
  return cure.rule.replaceAll("\n", ", ");
}

describe("every reason", () => {
  for (const reason of [...REASON_CODES] as ReasonCode[]) {
    test(`${reason} names its cure in one line that a person can read`, () => {
      for (const host of [null, "api.example.com"]) {
        for (const address of [null, "93.184.216.34"]) {
          const text = cureText(cureOf({ ...BASE, reason, rule: "guard.gateway", host, address, port: 443 }));
          assert.match(text, /^[\x20-\x7e]{10,}$/);
        }
      }
    });
  }
});

describe("a cure that the gate is asked to take", () => {
  let room: Room;
  afterEach(() => room.close());

  for (const [name, rules, type] of [
    ["_mongodb._tcp.cluster0.ab1cd.mongodb.net", ["allow: '*.ab1cd.mongodb.net', port: 27017"], TYPE.SRV],
    ["cluster0.ab1cd.mongodb.net", ["allow: '*.ab1cd.mongodb.net', port: 27017"], TYPE.TXT],
  ] as const) {
    test(`record-type: ${name} is answered once it is listed exactly`, async () => {
      const react = () => ({ kind: "negative", rcode: RCODE.noerror, soaSeconds: 5, ede: null }) as const;
      room = await openRoom({ rules, react });
      const door = await room.openDns();
      await askUdp(door, name, { type });
      const { decision, host } = lastRefusal(room);
      assert.equal(decision.reason, "record-type");
      assert.equal(room.resolver.heard.length, 0);
      const cure = ruleOf(cureOf({ ...BASE, reason: decision.reason, host }));
      await room.setPolicy([...rules, cure]);
      await askUdp(door, name, { type });
      assert.equal(room.resolver.heard.length, 1, `the question goes upstream with ${cure}`);
    });
  }

  for (const [what, address, rule] of [
    ["a fake-IP resolver", "198.18.0.23", "allow: api.telegram.org"],
    ["an address of the home", "192.168.1.9", "allow: api.telegram.org"],
    ["a preset on a fake-IP network", "198.18.0.23", "use: telegram"],
  ] as const) {
    test(`private-address: ${what} is answered with \`private: true\``, async () => {
      room = await openRoom({ rules: [rule], names: { "api.telegram.org": [address] } });
      const door = await room.openDns();
      assert.deepEqual((await askUdp(door, "api.telegram.org")).addresses, []);
      const { decision, host } = lastRefusal(room);
      assert.equal(decision.reason, "private-address");
      await room.setPolicy([rule, ruleOf(cureOf({ ...BASE, reason: decision.reason, host }))]);
      assert.deepEqual((await askUdp(door, "api.telegram.org")).addresses, [address]);
    });
  }

  test("private-address: metadata stays refused, as the cure says", async () => {
    room = await openRoom({
      rules: ["allow: api.example.com"],
      names: { "api.example.com": ["169.254.169.254"] },
    });
    const door = await room.openDns();
    await askUdp(door, "api.example.com");
    const cure = cureOf({ ...BASE, reason: "private-address", host: "api.example.com" });
    assert.match(cureText(cure), /metadata and link-local addresses stay refused/);
    await room.setPolicy([ruleOf(cure)]);
    assert.deepEqual((await askUdp(door, "api.example.com")).addresses, []);
  });
});

const HEAD = "version: 1\nmode: enforce\nscopes: {agent: {user: 4242}, helper: {user: 4343}}\n";
const WHY = "why: needed for work";

describe("a cure that is a rule", () => {
  for (const reason of ["not-pinned", "no-name", "bad-request", "is-ssh", "is-http", "is-tls"] as const) {
    for (const place of ["agent", "helper"]) {
      test(`${reason} for ${place}: the address is reached without the gate`, () => {
        const refused = {
          ...BASE,
          reason,
          place,
          host: "ssh.github.com",
          address: "140.82.112.35",
          port: 443,
        };
        const before = policyOf(`${HEAD}outbound:\n  - {allow: ssh.github.com, ${WHY}}\n`);
        const flow = flowOf(`${place} => 140.82.112.35:443`);
        assert.equal(evaluate(before, flow, NOW_MS).verdict, "refuse");
        const after = policyOf(`${HEAD}outbound:\n  - {${ruleOf(cureOf(refused))}, ${WHY}}\n`);
        assert.equal(evaluate(after, flow, NOW_MS).verdict, "accept");
      });
    }
  }

  test("ech: the name in front is accepted", () => {
    const cure = ruleOf(cureOf({ ...BASE, reason: "ech", host: "cloudflare-ech.com", port: 443 }));
    const policy = policyOf(`${HEAD}outbound:\n  - {${cure}, ${WHY}}\n`);
    assert.equal(evaluate(policy, flowOf("agent => cloudflare-ech.com:443"), NOW_MS).verdict, "accept");
  });

  for (const [flow, place, protocol, port] of [
    ["203.0.113.9 -> 8443", "world", "tcp", 8443],
    ["203.0.113.9 -> udp/51820", "world", "udp", 51_820],
    ["10.0.0.9@lan -> 5432", "lan", "tcp", 5432],
  ] as const) {
    test(`default, inbound: ${flow} is let in, and another source is not`, () => {
      const zones = "zones: {lan: eth1}\n";
      const before = policyOf(`${HEAD}${zones}inbound: []\n`);
      assert.equal(evaluate(before, flowOf(flow), NOW_MS).reason, "default");
      const source = flow.split(/[ @]/)[0] ?? null;
      const cure = cureOf({ ...BASE, direction: "inbound", place, source, port, protocol });
      const after = policyOf(`${HEAD}${zones}inbound:\n  - {${ruleOf(cure)}, ${WHY}}\n`);
      assert.equal(evaluate(after, flowOf(flow), NOW_MS).verdict, "accept");
      if (place === "world")
        assert.equal(evaluate(after, flowOf(flow.replace(".9", ".8")), NOW_MS).verdict, "refuse");
    });
  }

  for (const [flow, rule, allow, section] of [
    ["203.0.113.9 -> 18789", "guard.gateway", "allow: 18789, from: any", "inbound"],
    ["agent => 169.254.0.23:80", "guard.link-local", "allow: 169.254.0.23, port: 80", "outbound"],
  ] as const) {
    test(`guard: ${rule} is lifted by the entry that is printed, with a rule beside it`, () => {
      const base = `${HEAD}${section}:\n  - {${allow}, ${WHY}}\n`;
      assert.deepEqual(evaluate(policyOf(base), flowOf(flow), NOW_MS).rule, rule);
      const cure = cureOf({ ...BASE, reason: "guard", rule });
      assert.ok(cure.kind === "risk");
      const risk = `accept_risk: [{${cure.risk}, reason: needed for work, by: maria, expires: 2026-12-01}]\n`;
      assert.equal(evaluate(policyOf(base + risk), flowOf(flow), NOW_MS).verdict, "accept");
    });
  }

  test("denied: without the rule that is named it is accepted", () => {
    const allow = `  - {allow: api.example.com, ${WHY}}\n`;
    const policy = policyOf(`${HEAD}outbound:\n${allow}  - {id: no-more, deny: api.example.com, ${WHY}}\n`);
    const { rule, reason } = evaluate(policy, flowOf("agent => api.example.com:443"), NOW_MS);
    assert.match(cureText(cureOf({ ...BASE, reason, rule, host: "api.example.com" })), /rule no-more:/);
    const after = policyOf(`${HEAD}outbound:\n${allow}`);
    assert.equal(evaluate(after, flowOf("agent => api.example.com:443"), NOW_MS).verdict, "accept");
  });
});

describe("what no rule cures", () => {
  for (const reason of ["unreachable", "unresolved", "limit", "name-mismatch"] as const) {
    test(`${reason} says so, and leads nobody to write one`, () => {
      const cure = cureOf({ ...BASE, reason, host: "api.example.com", address: "93.184.216.34", port: 443 });
      assert.equal(cure.kind, "elsewhere");
      assert.match(cureText(cure), /no rule/);
    });
  }
});

test("the 403 of a listed name with a private address says the line that helps", () => {
  const target = {
    scope: "agent",
    host: "api.telegram.org",
    address: null,
    port: 443,
    protocol: "tcp",
  } as const;
  const decision: Decision = {
    verdict: "refuse",
    observed: false,
    rule: null,
    reason: "private-address",
    why: "inside",
  };
  assert.ok(parseIp("198.18.0.23") !== undefined);
  const { help } = refusalBody(refusalOf(target, decision, refusalKey(new Uint8Array(32), "boot", "agent")));
  assert.match(String(help), /private: true, why: "\.\.\."\} under `outbound:`/);
});
