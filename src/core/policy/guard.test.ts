import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveGuards } from "./guard.ts";
import { GUARD_IDS } from "./parse/vocabulary.ts";

test("every guard can be named in accept_risk, and nothing else", () => {
  const ids = resolveGuards([]).map((guard) => guard.id);
  assert.deepEqual(ids.toSorted(), GUARD_IDS.map((id) => `guard.${id}`).toSorted());
});
