// Packets that no honest host sends, to what the policy denies: none of them gets past the ruleset.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { jsonFromNamespace } from "../../support/namespace-json.ts";
import { FORGERIES } from "./in-namespace/forgery.ts";
import type { Fate } from "./in-namespace/forged.ts";

const POLICY = `version: 1
mode: enforce
inbound:
  - allow: ssh
    from: any
    why: administration, keys only
`;

describe("a forged packet to what the policy denies", () => {
  let fates: ReadonlyMap<string, Fate>;
  before(async () => {
    const script = new URL("in-namespace/forged.ts", import.meta.url);
    const list = (await jsonFromNamespace(script, [POLICY])) as readonly Fate[];
    fates = new Map(list.map((fate) => [fate.name, fate]));
  });
  for (const { name, passesAlone } of FORGERIES) {
    it(`${name} does not get past Seawall`, () => {
      const fate = fates.get(name);
      assert.ok(fate !== undefined);
      if (passesAlone) assert.notEqual(fate.without, 0, "without Seawall it does not arrive either");
      assert.equal(fate.with, 0);
    });
  }
});
