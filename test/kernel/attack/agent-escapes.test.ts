// What a process of the agent's uid can send without any capability: nothing leaves that no rule allows.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { jsonFromNamespace } from "../../support/namespace-json.ts";
import { ESCAPES } from "./in-namespace/escape.ts";
import type { Passed } from "./in-namespace/escapes.ts";

const POLICY = `version: 1
mode: enforce
scopes: {agent: {user: 4242}}
inbound: []
outbound:
  - allow: 192.0.2.9
    why: the only place it may reach
`;

describe("a process of the agent's user", () => {
  let passed: ReadonlyMap<string, Passed>;
  before(async () => {
    const script = new URL("in-namespace/escapes.ts", import.meta.url);
    const list = (await jsonFromNamespace(script, [POLICY])) as readonly Passed[];
    passed = new Map(list.map((one) => [one.name, one]));
  });
  for (const { name } of ESCAPES) {
    it(`sends nothing by ${name}`, () => {
      const one = passed.get(name);
      assert.ok(one !== undefined);
      assert.notEqual(one.without, 0, "without Seawall nothing is sent either");
      assert.equal(one.with, 0);
    });
  }
});
