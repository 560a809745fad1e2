/** The manual pages say all that they are for; what they are made of is true. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { commandPage } from "../../script/man/command-page.ts";
import { EXAMPLE, policyPage } from "../../script/man/policy-page.ts";
import { prose, roff } from "../../script/man/roff.ts";
import { COMMANDS } from "../../src/cli/registry.ts";
import { GUARD_IDS, ROOT_KEYS } from "../../src/core/policy/parse/vocabulary.ts";
import { checkPolicy } from "../../src/core/policy/check.ts";

const NOTHING = { sets: new Map<string, never>(), diagnostics: [] };

test("seawall(1) has every command with every option", async () => {
  const page = await commandPage();
  for (const [words, { load }] of Object.entries(COMMANDS)) {
    assert.ok(page.includes(`.SS "seawall ${roff(words)}"`), words);
    const { options } = (await load()).command;
    for (const option of Object.keys(options)) assert.ok(page.includes(roff(`--${option}`)), option);
  }
});

test("seawall-policy(5) has every key and every guard, each with what it means", () => {
  const page = policyPage();
  for (const key of ROOT_KEYS) assert.ok(page.includes(`.SS "${roff(key)}"`), key);
  for (const id of GUARD_IDS) assert.ok(page.includes(roff(`guard.${id}`)), id);
  const empty = [...page.matchAll(/^\\fB(.*)\\fR\n(?:\\&)?\./gm)].map(([, key]) => key);
  assert.deepEqual(empty, [], "keys that the schema does not describe");
});

test("the example of seawall-policy(5) is a policy without an error or a warning", () => {
  const check = checkPolicy(EXAMPLE, { nowMs: Date.UTC(2026, 10, 1), readSets: () => NOTHING });
  assert.deepEqual(
    check.diagnostics.filter(({ severity }) => severity !== "notice"),
    [],
  );
  assert.notEqual(check.policy, null);
});

for (const [text, expected] of [
  [".br", "\\&.br"],
  ["a\n.br", "a\n\\&.br"],
  ["'x", "\\(aqx"],
  ["\\fB", "\\(rsfB"],
  ["--json", "\\-\\-json"],
] as const) {
  test(`a text is no request of groff: ${JSON.stringify(text)}`, () => assert.equal(roff(text), expected));
}

test("what stands between backquotes is bold", () => {
  assert.equal(prose("run `seawall status` now"), "run \\fBseawall status\\fR now");
});
