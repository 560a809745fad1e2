/** What a gate accepts, `evaluate` accepts: random policies by name, asked every way a gate asks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ScopeJudge, scopeJudge, type Surroundings } from "../../src/core/gate/judge.ts";
import { nameTable } from "../../src/core/gate/name-table.ts";
import { isPublicIp } from "../../src/core/net/address-class.ts";
import type { OutboundFlow } from "../../src/core/net/flow.ts";
import type { Hostname } from "../../src/core/net/hostname.ts";
import type { Ip } from "../../src/core/net/ip.ts";
import { containsIp, prefixSetOf } from "../../src/core/net/prefix-set.ts";
import type { Decision } from "../../src/core/policy/decision.ts";
import { evaluator } from "../../src/core/policy/evaluate.ts";
import { allowsOf, decidesByName, namesHost } from "../../src/core/policy/gated.ts";
import { matchesServices } from "../../src/core/policy/service-match.ts";
import type { ResolvedOutboundRule, ResolvedPolicy } from "../../src/core/policy/resolved.ts";
import { NOW_MS, policyOf } from "../support/policy.ts";
import { address, host, ipOf, METADATA, OWN, policyText, port, PRIVATE, PUBLIC } from "./gate-policy.ts";

const RUNS = Number(process.env["SEAWALL_FUZZ_RUNS"] ?? 400);
const SETTINGS = { numRuns: RUNS, seed: 20_261_105 };
const AROUND: Surroundings = {
  ownAddresses: prefixSetOf([{ base: ipOf(OWN), bits: 32 }]),
  nat64: null,
};

interface Drawn {
  readonly policy: ResolvedPolicy;
  readonly judge: ScopeJudge;
}

/** Only the text is drawn, so that a counterexample is one a person can read. */
function read(text: string): Drawn {
  const policy = policyOf(text);
  return { policy, judge: scopeJudge(policy, "agent", AROUND) };
}

function flow(one: Pick<OutboundFlow, "host" | "address" | "protocol" | "port">): OutboundFlow {
  return { direction: "outbound", scope: "agent", ...one };
}

const passes = ({ verdict, observed }: Decision): boolean => verdict === "accept" || observed;

/** Every port at which the meaning of a drawn policy may change, both sides of it. */
function edges({ outbound, guards }: ResolvedPolicy): number[] {
  const services = [...(outbound ?? []), ...guards].flatMap((rule) => rule.services);
  const found = services.flatMap(({ ports: { first, last } }) => [first - 1, first, last, last + 1]);
  return [...new Set([...found, 80, 443])].filter((one) => one > 0 && one <= 65_535);
}

const PROTOCOLS = ["tcp", "udp"] as const;

test("a name that is listed has a port on which the policy accepts it, or is only watched", () => {
  let listed = 0;
  fc.assert(
    fc.property(policyText, host, (text, name) => {
      const { policy, judge } = read(text);
      const verdict = judge.judgeName(name, NOW_MS);
      const evaluate = evaluator(policy);
      const accepts = edges(policy).some((at) =>
        PROTOCOLS.some((protocol) =>
          passes(evaluate(flow({ host: name, address: null, protocol, port: at }), NOW_MS)),
        ),
      );
      if (verdict.kind !== "listed") return;
      listed += 1;
      assert.ok(accepts);
      if (verdict.observed !== null) assert.ok(verdict.observed.observed && judge.watching);
    }),
    SETTINGS,
  );
  assert.ok(listed > RUNS / 20, `only ${listed} listed names`);
});

test("a name that is allowed on a web port is listed", () => {
  let asked = 0;
  fc.assert(
    fc.property(policyText, host, fc.constantFrom(80, 443), (text, name, at) => {
      const { policy, judge } = read(text);
      const decision = evaluator(policy)(
        flow({ host: name, address: null, protocol: "tcp", port: at }),
        NOW_MS,
      );
      if (decision.verdict !== "accept") return;
      asked += 1;
      assert.equal(judge.judgeName(name, NOW_MS).kind, "listed");
    }),
    SETTINGS,
  );
  assert.ok(asked > RUNS / 20, `only ${asked} allowed names`);
});

test("a name that is refused is refused by the policy on both web ports", () => {
  fc.assert(
    fc.property(policyText, host, (text, name) => {
      const { policy, judge } = read(text);
      if (judge.judgeName(name, NOW_MS).kind === "listed") return;
      for (const at of [80, 443]) {
        const decision = evaluator(policy)(
          flow({ host: name, address: null, protocol: "tcp", port: at }),
          NOW_MS,
        );
        assert.notEqual(decision.verdict, "accept");
      }
    }),
    SETTINGS,
  );
});

test("a connection is decided exactly as `evaluate` decides it", () => {
  fc.assert(
    fc.property(
      policyText,
      fc.option(host, { nil: null }),
      fc.option(address, { nil: null }),
      port,
      (text, name, ip, at) => {
        const { policy, judge } = read(text);
        const expected = evaluator(policy)(
          flow({ host: name, address: ip, protocol: "tcp", port: at }),
          NOW_MS,
        );
        assert.deepEqual(judge.judgeConnection(name, ip, at, NOW_MS), expected);
      },
    ),
    SETTINGS,
  );
});

/** Whether the kernel itself refuses this port of the address, whatever is pinned: it asks guards and denies first. */
function isHeldByAddress(policy: ResolvedPolicy, ip: Ip, protocol: "tcp" | "udp", at: number): boolean {
  const guarded = policy.guards.some(
    (guard) =>
      guard.direction === "outbound" &&
      (guard.to === null || containsIp(guard.to, ip)) &&
      matchesServices(guard.services, protocol, at),
  );
  return guarded || (policy.outbound ?? []).some((rule) => isDenyOf(rule, ip, protocol, at));
}

function isDenyOf(rule: ResolvedOutboundRule, ip: Ip, protocol: "tcp" | "udp", at: number): boolean {
  const isDeny = rule.action === "deny" && rule.mode === "enforce" && rule.scopes.includes("agent");
  return isDeny && containsIp(rule.to, ip) && matchesServices(rule.services, protocol, at);
}

function assertPinnable({ policy, judge }: Drawn, name: Hostname, ip: Ip): boolean {
  const evaluate = evaluator(policy);
  const { webPorts, direct } = judge.pinnable(name, ip, NOW_MS);
  for (const at of webPorts) {
    assert.ok([80, 443].includes(at));
    assert.ok(passes(evaluate(flow({ host: name, address: ip, protocol: "tcp", port: at }), NOW_MS)));
  }
  for (const id of direct) {
    const rule = policy.outbound?.find((one) => one.id === id);
    assert.ok(rule !== undefined && rule.action === "allow" && namesHost(rule, name), id);
    for (const at of edges(policy)) {
      for (const protocol of PROTOCOLS) {
        if (!matchesServices(rule.services, protocol, at)) continue;
        if (isHeldByAddress(policy, ip, protocol, at)) continue;
        const decision = evaluate(flow({ host: name, address: ip, protocol, port: at }), NOW_MS);
        assert.ok(passes(decision), `${id} ${name} ${protocol}/${at}: ${decision.reason} ${decision.rule}`);
      }
    }
  }
  return webPorts.length + direct.length > 0;
}

test("what is pinned is accepted by the policy on every port that the pin opens", () => {
  let opened = 0;
  fc.assert(
    fc.property(policyText, host, address, (text, name, ip) => {
      if (assertPinnable(read(text), name, ip)) opened += 1;
    }),
    { ...SETTINGS, numRuns: RUNS * 4 },
  );
  assert.ok(opened > RUNS / 10, `only ${opened} pins`);
});

test("an address that is refused as an answer opens nothing", () => {
  let refused = 0;
  fc.assert(
    fc.property(policyText, host, address, (text, name, ip) => {
      const { judge } = read(text);
      if (judge.refuseAnswer(name, ip) === null) return;
      refused += 1;
      assert.deepEqual(judge.pinnable(name, ip, NOW_MS), { webPorts: [], direct: [] });
    }),
    SETTINGS,
  );
  assert.ok(refused > RUNS / 10, `only ${refused} refused answers`);
});

test("rebinding: a private or own address is an answer only for a name whose rule says private", () => {
  fc.assert(
    fc.property(policyText, host, fc.constantFrom(...PRIVATE, OWN), (text, name, ip) => {
      const { policy, judge } = read(text);
      if (judge.refuseAnswer(name, ipOf(ip)) !== null) return;
      const named = allowsOf(policy, "agent").filter((rule) => decidesByName(rule) && namesHost(rule, name));
      assert.ok(named.some((rule) => rule.private));
    }),
    SETTINGS,
  );
});

test("metadata is never an answer, whatever a rule or a lifted guard says", () => {
  fc.assert(
    fc.property(policyText, host, fc.constantFrom(...METADATA), (text, name, ip) => {
      const { judge } = read(text);
      assert.equal(judge.refuseAnswer(name, ipOf(ip)), "private-address");
    }),
    SETTINGS,
  );
});

test("a public address that is not this host's is always an answer", () => {
  fc.assert(
    fc.property(policyText, host, fc.constantFrom(...PUBLIC), (text, name, ip) => {
      const { judge } = read(text);
      // A metadata service's name is guarded itself.
      if (name === "metadata.google.internal") return;
      assert.ok(isPublicIp(ipOf(ip)));
      assert.equal(judge.refuseAnswer(name, ipOf(ip)), null);
    }),
    SETTINGS,
  );
});

test("the table of names finds the rules that a search of all would find", () => {
  fc.assert(
    fc.property(policyText, host, (text, name) => {
      const { policy } = read(text);
      const found = nameTable(policy, "agent").rulesFor(name);
      const all = allowsOf(policy, "agent").filter((rule) => decidesByName(rule) && namesHost(rule, name));
      assert.deepEqual(found.map(({ id }) => id).sort(), all.map(({ id }) => id).sort());
    }),
    SETTINGS,
  );
});

test("observe breaks nothing: a name is refused only by a guard or by a deny that is enforced", () => {
  let asked = 0;
  fc.assert(
    fc.property(policyText, host, (text, name) => {
      const { policy, judge } = read(text);
      if (!judge.watching) return;
      asked += 1;
      const verdict = judge.judgeName(name, NOW_MS);
      assert.notEqual(verdict.kind, "ancestor");
      if (verdict.kind !== "refused") return;
      const { reason, rule } = verdict.decision;
      const isEnforced = policy.outbound?.find(({ id }) => id === rule)?.mode === "enforce";
      assert.ok(reason === "guard" || (reason === "denied" && isEnforced), reason);
    }),
    SETTINGS,
  );
  assert.ok(asked > RUNS / 10, `only ${asked} watched policies`);
});
