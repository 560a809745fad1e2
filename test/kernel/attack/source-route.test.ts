// A packet may name the hops after its destination: a place that is allowed is no way to one that is not.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { jsonFromNamespace } from "../../support/namespace-json.ts";
import type { RoutePassed } from "./in-namespace/source-route.ts";
import { FIRST4, FIRST6, ROUTES } from "./in-namespace/source-routes.ts";

const POLICY = `version: 1
mode: enforce
scopes: {agent: {user: 4242}}
inbound: []
outbound:
  - allow: [${FIRST4}, "${FIRST6}"]
    port: 9000
    protocol: udp
    why: the only places it may reach
`;

describe("the agent's user, by an allowed first hop,", () => {
  let passed: ReadonlyMap<string, RoutePassed>;
  before(async () => {
    const script = new URL("in-namespace/source-route.ts", import.meta.url);
    const list = (await jsonFromNamespace(script, [POLICY])) as readonly RoutePassed[];
    passed = new Map(list.map((one) => [one.name, one]));
  });
  for (const { name } of ROUTES) {
    it(`sends nothing with ${name}`, () => {
      const one = passed.get(name);
      assert.ok(one !== undefined);
      assert.equal(one.without, 1, "without Seawall it is not sent either");
      assert.equal(one.with, 0);
    });
  }
});
