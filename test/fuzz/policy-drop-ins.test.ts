import assert from "node:assert/strict";
import { test } from "node:test";
import { checkPolicy, type PolicyCheck } from "../../src/core/policy/check.ts";
import { evaluator } from "../../src/core/policy/evaluate.ts";
import { parseFlow } from "../../src/core/policy/flow-input.ts";
import { NOW_MS } from "../support/policy.ts";
import { seededRandom } from "../support/seeded-random.ts";

test("which file a rule stands in, and where, changes no verdict", () => {
  const random = seededRandom(815);
  for (let round = 0; round < 200; round += 1) {
    const rules = Array.from({ length: 2 + random.below(8) }, () => {
      const action = random.once(2) ? "allow" : "deny";
      const first = 1 + random.below(4);
      const mode = random.once(5) ? ", mode: observe" : "";
      return `  - {${action}: ${first}-${first + random.below(3)}, from: 192.0.2.${random.below(8)}/${random.pick([29, 30, 31, 32])}${mode}, why: a reason long enough}\n`;
    });
    const shuffled = random.sample(rules, rules.length);
    const [one, two] = [random.below(rules.length), random.below(rules.length)].sort((a, b) => a - b);
    const whole = check(section(rules), {});
    const parts = check("inbound: []\n", {
      a: "inbound: []\n",
      b: section(shuffled.slice(0, one)),
      c: section(shuffled.slice(one, two)),
      d: section(shuffled.slice(two)),
    });
    assert.deepEqual(verdicts(whole), verdicts(parts), rules.join(""));
  }
});

function section(rules: readonly string[]): string {
  return rules.length === 0 ? "" : `inbound:\n${rules.join("")}`;
}

function verdicts({ policy }: PolicyCheck): string[] {
  assert.ok(policy !== null);
  const judge = evaluator(policy);
  return Array.from({ length: 8 * 8 }, (_, at) => {
    const parsed = parseFlow({
      direction: "inbound",
      from: `192.0.2.${at >> 3}`,
      port: 1 + (at & 7),
      protocol: "tcp",
    });
    assert.ok(parsed.ok);
    const { verdict, observed } = judge(parsed.flow, NOW_MS);
    return `${verdict}${observed ? " observed" : ""}`;
  });
}

function check(main: string, added: Readonly<Record<string, string>>): PolicyCheck {
  return checkPolicy(`version: 1\n${main}`, {
    nowMs: NOW_MS,
    dropIns: Object.entries(added).map(([name, text]) => ({
      file: `policy.d/${name}.yaml`,
      text: `version: 1\n${text}`,
    })),
    readSets: () => ({ sets: new Map(), diagnostics: [] }),
  });
}
