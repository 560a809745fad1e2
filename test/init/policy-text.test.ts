/** Whatever is found, `init` writes a policy, and it says what was found and nothing else. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parse as parseYaml } from "yaml";
import type { Facts, Instance, Listener, Neighbours } from "../../src/core/init/facts.ts";
import { policyText } from "../../src/core/init/policy-text.ts";
import { planProxy } from "../../src/core/init/proxy.ts";
import { planScopes } from "../../src/core/init/scope.ts";
import { openclawNeeds } from "../../src/core/openclaw/needs.ts";
import { isObject, parseJson5 } from "../../src/core/openclaw/json.ts";
import { checkPolicy } from "../../src/core/policy/check.ts";
import { SCOPES_MAX } from "../../src/core/policy/resolve.ts";
import { NOW_MS } from "../support/policy.ts";

const ALONE: Neighbours = {
  ssh: [],
  sshPasswords: null,
  ufw: "absent",
  docker: false,
  tunnels: [],
  listeners: [],
};

function instanceOf(fields: Partial<Instance>, configuration = "{}"): Instance {
  const parsed = parseJson5(configuration);
  assert.ok(parsed.ok && isObject(parsed.value));
  return {
    configPath: "/home/claw/.openclaw/openclaw.json",
    evidence: "process 1",
    uid: 1001,
    user: "claw",
    pid: 1,
    unit: null,
    container: null,
    needs: openclawNeeds(parsed.value, new Map()),
    problems: [],
    ...fields,
  };
}

const word = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constantFrom(
    "claw",
    "null",
    "true",
    "~",
    "a: b",
    "x\n  - allow: any",
    "#",
    "]}",
    "\u2028- allow: any",
    "-",
    "1e3",
    "0x1f",
    "*a",
    "&a",
    "!x",
  ),
);
const host = fc.oneof(
  fc.domain(),
  word,
  fc.ipV4(),
  fc.ipV6().map((ip) => `[${ip}]`),
);
const url = fc
  .tuple(fc.constantFrom("http", "https", "wss"), host, fc.integer({ min: 0, max: 70_000 }))
  .map(([scheme, name, port]) => `${scheme}://${name}:${port}/v1`);
const configuration = fc.record({
  models: fc.record({
    providers: fc.dictionary(word, fc.record({ baseUrl: fc.oneof(url, word) }), { maxKeys: 4 }),
  }),
  channels: fc.dictionary(
    fc.oneof(word, fc.constantFrom("telegram", "irc", "signal", "line")),
    fc.record({ host, port: fc.integer(), httpHost: host }),
    { maxKeys: 4 },
  ),
  gateway: fc.record({ port: fc.oneof(fc.integer(), word) }),
  proxy: fc.record({ proxyUrl: fc.oneof(url, word) }),
});
const container = fc.record({ id: word, network: fc.option(word), isHostNetwork: fc.boolean() });
const instance = fc
  .record({
    configPath: word,
    evidence: word,
    uid: fc.nat(70_000),
    user: fc.option(word),
    unit: fc.option(
      fc.record({
        name: fc.constant("openclaw.service"),
        kind: fc.constantFrom("system" as const, "user" as const),
      }),
    ),
    container: fc.option(container),
    problems: fc.array(word, { maxLength: 2 }),
    configuration,
  })
  .map(({ configuration: value, ...fields }) => instanceOf(fields, JSON.stringify(value)));
const listener: fc.Arbitrary<Listener> = fc.record({
  protocol: fc.constantFrom("tcp", "udp"),
  port: fc.integer({ min: 1, max: 65_535 }),
  isLoopback: fc.boolean(),
  program: fc.option(word),
  pid: fc.constant(7),
});
const port = fc.integer({ min: 1, max: 65_535 });
const neighbours: fc.Arbitrary<Neighbours> = fc.record({
  ssh: fc.uniqueArray(fc.record({ port: fc.oneof(fc.constant(22), port), evidence: word }), {
    maxLength: 3,
    selector: (one) => one.port,
  }),
  sshPasswords: fc.option(fc.boolean()),
  ufw: fc.constantFrom("active", "inactive", "absent"),
  docker: fc.boolean(),
  tunnels: fc.array(fc.record({ name: word, port: fc.option(port) }), { maxLength: 3 }),
  listeners: fc.array(listener, { maxLength: 6 }),
});

test("whatever is found, the policy is one line of ASCII after another and has no error", () => {
  fc.assert(
    fc.property(fc.array(instance, { maxLength: 4 }), neighbours, (instances, around) => {
      const facts: Facts = { day: "2026-11-21", instances, notLookedAt: [], neighbours: around };
      const text = policyText(facts);
      assert.match(text, /^[\n -~]*$/);
      const check = checkPolicy(text, {
        nowMs: NOW_MS,
        readSets: () => ({ sets: new Map(), diagnostics: [] }),
      });
      const said = check.diagnostics.filter(
        ({ severity, code }) =>
          severity === "error" ||
          (severity === "warning" && code !== "policy/guarded" && code !== "policy/nobody-in"),
      );
      assert.deepEqual(said, [], text);
      const root = parseYaml(text) as Record<string, readonly Record<string, unknown>[]>;
      const sections = new Set(["version", "mode", "scopes", "inbound", "outbound"]);
      for (const key of Object.keys(root)) assert.ok(sections.has(key), key);
      for (const rule of root["inbound"] ?? []) assert.equal(rule["from"], "any");
    }),
    { seed: 11, numRuns: 400 },
  );
});

describe("the scope of an instance is", () => {
  for (const [what, fields, expected] of [
    ["its user", {}, "agent user claw"],
    ["its uid when the name is none that a policy can carry", { user: "Claw Bot" }, "agent user 1001"],
    ["its uid when nobody has a name for it", { user: null }, "agent user 1001"],
    [
      "the unit of the system manager when it runs as root",
      { uid: 0, user: "root", unit: { name: "openclaw.service", kind: "system" } },
      "agent unit openclaw.service",
    ],
    [
      "none when it is root's without a unit",
      { uid: 0, user: "root" },
      "none: it runs as root, and root sends for the whole machine",
    ],
    [
      "none when it is root's under a user manager",
      { uid: 0, user: "root", unit: { name: "x.service", kind: "user" } },
      "none: it runs as root, and root sends for the whole machine",
    ],
    [
      "the network of its container",
      { container: { id: "0", network: "claw_default", isHostNetwork: false } },
      "agent docker claw_default",
    ],
    [
      "its uid in a container on the host's network",
      { user: null, container: { id: "0", network: null, isHostNetwork: true } },
      "agent user 1001",
    ],
    [
      "none in a container whose network is not known",
      { container: { id: "0", network: null, isHostNetwork: false } },
      "none: it runs in a container whose network could not be found out",
    ],
  ] as const satisfies readonly (readonly [string, Partial<Instance>, string])[]) {
    test(what, () => {
      const [plan] = planScopes([instanceOf(fields)]);
      assert.ok(plan !== undefined);
      const shown =
        plan.target === null
          ? `none: ${plan.problem}`
          : `${plan.name} ${Object.values(plan.target).join(" ")}`;
      assert.equal(shown, expected);
    });
  }

  test("one for two profiles of the same user, another for another user", () => {
    const plans = planScopes([
      instanceOf({}),
      instanceOf({ configPath: "/x" }),
      instanceOf({ uid: 1002, user: "ann" }),
      instanceOf({ uid: 1003, user: "agent" }),
    ]);
    assert.deepEqual(
      plans.map(({ name, instances }) => `${name} ${instances.length}`),
      ["agent 2", "ann 1", "agent-2 1"],
    );
  });

  test("said to be missing when a policy can hold no more", () => {
    const plans = planScopes(
      Array.from({ length: SCOPES_MAX + 2 }, (_, at) => instanceOf({ uid: 2000 + at, user: `u${at}` })),
    );
    assert.equal(plans.filter(({ target }) => target !== null).length, SCOPES_MAX);
    assert.equal(plans.at(-1)?.problem, `a policy has at most ${SCOPES_MAX} scopes`);
  });
});

describe("the proxy of OpenClaw", () => {
  const ours: Listener = {
    protocol: "tcp",
    port: 18_901,
    isLoopback: true,
    program: "node",
    pid: 5,
  };
  for (const [what, one, around, expected] of [
    ["is set where our proxy listens", instanceOf({}), [ours], "set"],
    ["is left while nothing listens there", instanceOf({}), [], "left"],
    [
      "is left when it is somebody else's",
      instanceOf({}, '{proxy: {proxyUrl: "http://10.0.0.1:3128"}}'),
      [ours],
      "left",
    ],
    [
      "is ours already",
      instanceOf({}, '{proxy: {proxyUrl: "http://127.0.0.1:18901"}}'),
      [ours],
      "set-already",
    ],
    [
      "is set when the other one is switched off",
      instanceOf({}, '{proxy: {enabled: false, proxyUrl: "http://10.0.0.1:3128"}}'),
      [ours],
      "set",
    ],
    [
      "is left in a container, whose loopback is its own",
      instanceOf({ container: { id: "0", network: "n", isHostNetwork: false } }),
      [ours],
      "left",
    ],
    ["is left when the configuration cannot be read", instanceOf({ needs: null }), [ours], "left"],
  ] as const) {
    test(what, () => assert.equal(planProxy(one, around).kind, expected));
  }
});

test("a port that only listens on loopback, and SSH, are not said to be shut", () => {
  const at = (value: number, isLoopback: boolean): Listener => ({
    protocol: "tcp",
    port: value,
    isLoopback,
    program: "p",
    pid: 1,
  });
  const text = policyText({
    day: "2026-11-21",
    notLookedAt: [],
    instances: [],
    neighbours: {
      ...ALONE,
      ssh: [{ port: 2222, evidence: "sshd" }],
      listeners: [at(2222, false), at(5000, true), at(6000, false)],
    },
  });
  assert.match(text, /shut by this policy, tcp: 6000 \(p\)\./);
  assert.match(text, /- allow: 2222\n/);
});
