/** Properties of the meaning itself, over random policies: what no rule and no order may ever change. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compileNftables } from "../../src/core/compile/nftables/compile.ts";
import { renderRuleset } from "../../src/core/compile/nftables/render.ts";
import type { Flow } from "../../src/core/net/flow.ts";
import { EVERY_ADDRESS } from "../../src/core/net/prefix-set.ts";
import { evaluator } from "../../src/core/policy/evaluate.ts";
import type { ResolvedPolicy } from "../../src/core/policy/resolved.ts";
import { atomsOf } from "../differential/atom.ts";
import { NOW_MS, policyOf } from "../support/policy.ts";
import { type DrawnPolicy, randomPolicy } from "../support/random-policy.ts";

const POLICIES = 25;
const FLOWS = 400;
const accounts = { uidOf: () => undefined, subuidsOf: () => [] };

function* drawn(): Generator<{ policy: ResolvedPolicy; flows: Flow[] }> {
  for (let seed = 1; seed <= POLICIES; seed += 1) {
    const one = randomPolicy(seed);
    yield { policy: policyOf(one.text), flows: flowsOf(one) };
  }
}

function flowsOf(one: DrawnPolicy): Flow[] {
  const flows = atomsOf(one, FLOWS).flatMap(({ flow }) => flow ?? []);
  assert.ok(flows.length > FLOWS / 4, `${one.label} has only ${flows.length} flows`);
  return flows;
}

test("the order of the rules never changes a verdict", () => {
  for (const { policy, flows } of drawn()) {
    const turned: ResolvedPolicy = {
      ...policy,
      inbound: policy.inbound.toReversed(),
      outbound: policy.outbound?.toReversed() ?? null,
    };
    const [as, reversed] = [evaluator(policy), evaluator(turned)];
    for (const flow of flows) {
      const [one, other] = [as(flow, NOW_MS), reversed(flow, NOW_MS)];
      assert.deepEqual([one.observed, one.reason], [other.observed, other.reason]);
      // Two deny rules may answer differently (refuse, drop); that something is denied never changes.
      assert.equal(one.verdict === "accept", other.verdict === "accept");
    }
  }
});

test("a deny never lets anything more through", () => {
  for (const { policy, flows } of drawn()) {
    const [template] = policy.inbound;
    if (template === undefined) continue;
    const deny = {
      ...template,
      id: "added",
      action: "deny",
      mode: "enforce",
      rate: null,
      expiresMs: null,
    } as const;
    const stricter = evaluator({ ...policy, inbound: [...policy.inbound, deny] });
    const before = evaluator(policy);
    for (const flow of flows) {
      const passed = passes(before(flow, NOW_MS));
      if (passes(stricter(flow, NOW_MS))) assert.ok(passed);
    }
  }
});

test("no allow ever opens a guard", () => {
  for (const { policy, flows } of drawn()) {
    const [template] = policy.inbound;
    if (template === undefined) continue;
    const everything = {
      ...template,
      id: "opens-all",
      action: "allow",
      mode: "enforce",
      from: EVERY_ADDRESS,
      services: [{ protocol: "every", ports: { first: 0, last: 65_535 } }],
      expiresMs: null,
      rate: null,
    } as const;
    const opened = evaluator({ ...policy, inbound: [everything, ...policy.inbound] });
    const before = evaluator(policy);
    for (const flow of flows) {
      if (before(flow, NOW_MS).reason === "guard") assert.equal(opened(flow, NOW_MS).reason, "guard");
    }
  }
});

test("compiling twice gives the same text", () => {
  for (const { policy } of drawn()) {
    const [one, other] = [1, 2].map(() => {
      const compiled = compileNftables(policy, { generation: 1, accounts });
      assert.ok(compiled.ok);
      return renderRuleset(compiled.ruleset, []);
    });
    assert.equal(one, other);
  }
});

function passes(decision: { readonly verdict: string; readonly observed: boolean }): boolean {
  return decision.verdict === "accept" || decision.observed;
}
