/**
 * A folder a policy: policy.yaml, and beside it what each target is given. `UPDATE_GOLDEN=1` writes them anew;
 * the difference is then read by a person.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { compileNftables } from "../../src/core/compile/nftables/compile.ts";
import { renderRuleset } from "../../src/core/compile/nftables/render.ts";
import { NOW_MS, policyOf } from "../support/policy.ts";

const FOLDER = import.meta.dirname;
const cases = readdirSync(FOLDER, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);

/** Every target writes one file. */
const TARGETS: Readonly<Record<string, (yaml: string) => string>> = {
  "nftables.nft": (yaml) => {
    const accounts = {
      uidOf: (user: string) => (user === "seawall-gate" ? undefined : 4242),
      subuidsOf: () => [{ first: 100_000, last: 165_535 }],
    };
    const compiled = compileNftables(policyOf(yaml, NOW_MS), { generation: 1, accounts });
    assert.ok(compiled.ok);
    return renderRuleset(compiled.ruleset, []);
  },
};

describe("golden", () => {
  assert.ok(cases.length >= 3, "the golden folders are there");
  for (const name of cases) {
    for (const [file, render] of Object.entries(TARGETS)) {
      test(`${name}/${file}`, () => {
        const path = join(FOLDER, name, file);
        const text = render(readFileSync(join(FOLDER, name, "policy.yaml"), "utf8"));
        if (process.env["UPDATE_GOLDEN"] === "1" && process.env["CI"] === undefined)
          writeFileSync(path, text);
        assert.equal(text, readFileSync(path, "utf8"));
      });
    }
  }
});
