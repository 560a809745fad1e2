import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkPolicy, type PolicyCheck } from "./check.ts";
import { evaluate } from "./evaluate.ts";
import { explain } from "./explain.ts";
import { parseFlow } from "./flow-input.ts";

const NOW_MS = Date.UTC(2026, 10, 21, 12);
const RISK = "reason: a reason long enough, by: ops, expires: 2030-01-01";

type Added = Readonly<Record<string, string>>;

/** Each text without its `version: 1` line. */
function check(main: string, added: Added): PolicyCheck {
  return checkPolicy(`version: 1\n${main}`, {
    nowMs: NOW_MS,
    dropIns: Object.entries(added).map(([name, text]) => ({
      file: `policy.d/${name}.yaml`,
      text: `version: 1\n${text}`,
    })),
    readSets: () => ({ sets: new Map(), diagnostics: [] }),
  });
}

/** `error drop-in policy.d/a.yaml:2:1`, without notices. */
function said({ diagnostics }: PolicyCheck): string[] {
  return diagnostics.flatMap(({ code, severity, span }) => {
    const place = `${span.file === undefined ? "" : `${span.file}:`}${span.line}:${span.column}`;
    return severity === "notice" ? [] : [`${severity} ${code.replace("policy/", "")} ${place}`];
  });
}

const inb = (rule: string): string => `inbound:\n  - {${rule}, why: a reason long enough}\n`;
const out = (rule: string): string => `outbound:\n  - {${rule}, why: a reason long enough}\n`;

describe("a policy of several files", () => {
  const inbound = (from: string, port: number, zone = "world") => ({
    direction: "inbound",
    from,
    port,
    zone,
  });
  const outbound = (host: string, scope = "agent") => ({ direction: "outbound", host, port: 443, scope });

  const ROWS: readonly {
    readonly name: string;
    readonly main: string;
    readonly added: Added;
    readonly flow: Record<string, unknown>;
    readonly expected: string;
  }[] = [
    {
      name: "a rule of a drop-in counts",
      main: inb("allow: ssh, from: any"),
      added: { a: inb("allow: 8082, from: any") },
      flow: inbound("203.0.113.9", 8082),
      expected: "accept by allow-8082",
    },
    {
      name: "the main file's rules stay",
      main: inb("allow: ssh, from: any"),
      added: { a: inb("allow: 8082, from: any") },
      flow: inbound("203.0.113.9", 22),
      expected: "accept by allow-ssh",
    },
    {
      name: "a deny of a drop-in beats an allow of the main file",
      main: inb("allow: ssh, from: any"),
      added: { a: inb("deny: ssh, from: 203.0.113.0/24") },
      flow: inbound("203.0.113.9", 22),
      expected: "refuse by deny-ssh",
    },
    {
      name: "a deny of the main file beats an allow of a drop-in",
      main: inb("deny: 8082, from: any"),
      added: { a: inb("allow: 8082, from: any") },
      flow: inbound("203.0.113.9", 8082),
      expected: "refuse by deny-8082",
    },
    {
      name: "of two allows the main file's decides",
      main: inb("allow: 8082, from: any, id: z-main"),
      added: { a: inb("allow: 8082, from: any, id: a-drop-in") },
      flow: inbound("203.0.113.9", 8082),
      expected: "accept by z-main",
    },
    {
      name: "of two allows in drop-ins the earlier file decides",
      main: "",
      added: {
        b: inb("allow: 8082, from: any, id: z-first"),
        c: inb("allow: 8082, from: any, id: a-second"),
      },
      flow: inbound("203.0.113.9", 8082),
      expected: "accept by z-first",
    },
    {
      name: "a rule of the main file may name a set of a drop-in",
      main: inb("allow: ssh, from: office"),
      added: { a: "sets: {office: [198.51.100.0/24]}\n" },
      flow: inbound("198.51.100.7", 22),
      expected: "accept by allow-ssh",
    },
    {
      name: "a rule of a drop-in may name a set of the main file",
      main: "sets: {office: [198.51.100.0/24]}\n",
      added: { a: inb("allow: ssh, from: office") },
      flow: inbound("198.51.100.7", 22),
      expected: "accept by allow-ssh",
    },
    {
      name: "a rule may name a zone of another drop-in",
      main: "",
      added: { a: inb("allow: ssh, from: lan"), b: "zones: {lan: eth1}\n" },
      flow: inbound("192.0.2.1", 22, "lan"),
      expected: "accept by allow-ssh",
    },
    {
      name: "a rule may name a scope of another drop-in",
      main: out("allow: a.example.com"),
      added: { a: out("allow: b.example.com, scope: bot"), b: "scopes: {bot: {user: bot}}\n" },
      flow: outbound("b.example.com", "bot"),
      expected: "accept by allow-b-example-com",
    },
    {
      name: "a drop-in with `outbound` has outbound judged",
      main: "",
      added: { a: out("allow: a.example.com") },
      flow: outbound("b.example.com"),
      expected: "refuse by null",
    },
    {
      name: "a drop-in without `outbound` leaves outbound unjudged",
      main: "",
      added: { a: inb("allow: ssh, from: any") },
      flow: outbound("b.example.com"),
      expected: "accept by null",
    },
    {
      name: "a broad name is allowed where the main file accepts the risk",
      main: `accept_risk: [{name: "*.github.io", ${RISK}}]\n${out("allow: a.example.com")}`,
      added: { a: out('allow: "*.github.io"') },
      flow: outbound("me.github.io"),
      expected: "accept by allow-any-github-io",
    },
    {
      name: "derived ids of two files are numbered, and the main file keeps its own",
      main: inb("allow: ssh, from: 192.0.2.2"),
      added: { a: inb("allow: ssh, from: 192.0.2.1") },
      flow: inbound("192.0.2.1", 22),
      expected: "accept by allow-ssh-2",
    },
    {
      name: "the mode of the main file holds in a drop-in",
      main: "mode: observe\n",
      added: { a: inb("deny: ssh, from: any") },
      flow: inbound("192.0.2.2", 22),
      expected: "refuse by deny-ssh, observed",
    },
    {
      name: "a rule for the world holds in a zone that a drop-in declares",
      main: inb("deny: 25, from: world"),
      added: { a: `zones: {lan: eth0}\n${inb("allow: 25, from: lan")}` },
      flow: inbound("192.0.2.2", 25, "lan"),
      expected: "refuse by deny-25",
    },
    {
      name: "a zone of the main file is no part of the world",
      main: `zones: {lan: eth0}\n${inb("deny: 25, from: world")}`,
      added: { a: inb("allow: 25, from: lan") },
      flow: inbound("192.0.2.2", 25, "lan"),
      expected: "accept by allow-smtp",
    },
  ];

  for (const { name, main, added, flow, expected } of ROWS) {
    test(name, () => {
      const { policy, diagnostics } = check(main, added);
      assert.ok(policy !== null, JSON.stringify(diagnostics));
      const parsed = parseFlow({ protocol: "tcp", ...flow });
      assert.ok(parsed.ok);
      const { verdict, rule, observed } = evaluate(policy, parsed.flow, NOW_MS);
      assert.equal(`${verdict} by ${rule}${observed ? ", observed" : ""}`, expected);
    });
  }

  test("explain names the drop-in that a rule stands in", () => {
    const { policy } = check("", { a: inb("allow: ssh, from: any") });
    const parsed = parseFlow({ direction: "inbound", from: "192.0.2.2", port: 22, protocol: "tcp" });
    assert.ok(policy !== null && parsed.ok);
    const sentences = explain(policy, parsed.flow, evaluate(policy, parsed.flow, NOW_MS));
    assert.match(sentences.join(" "), /Rule allow-ssh \(policy\.d\/a\.yaml, line 3\) allows it/);
  });
});

describe("what is said of several files", () => {
  const JUDGED = "outbound: []\n";
  const ROWS: readonly [name: string, main: string, added: Added, expected: readonly string[]][] = [
    ["nothing wrong, nothing said", inb("allow: ssh, from: any"), { a: inb("allow: 8082, from: any") }, []],
    ["a drop-in has no `mode`", "", { a: "mode: observe\n" }, ["error drop-in policy.d/a.yaml:2:1"]],
    [
      "a drop-in has no `defaults`",
      "",
      { a: "defaults: {inbound: drop}\n" },
      ["error drop-in policy.d/a.yaml:2:1"],
    ],
    [
      "a drop-in has no `accept_risk`",
      "",
      { a: `accept_risk: [{guard: gateway, ${RISK}}]\n` },
      ["error drop-in policy.d/a.yaml:2:1"],
    ],
    ["a drop-in has no `alerts`", "", { a: "alerts: []\n" }, ["error drop-in policy.d/a.yaml:2:1"]],
    [
      "all problems of all files at once, in the order of the files",
      inb("allow: shh, from: any"),
      { a: inb("allow: shh, from: any"), b: inb("allow: ssh, fron: any") },
      [
        "error service 3:13",
        "error service policy.d/a.yaml:3:13",
        "error missing-key policy.d/b.yaml:3:5",
        "error unknown-key policy.d/b.yaml:3:18",
      ],
    ],
    [
      "a rule id of two files",
      inb("allow: ssh, from: any, id: x"),
      { a: out("allow: a.example.com, id: x") },
      ["warning outbound-judged policy.d/a.yaml:2:1", "error duplicate-id policy.d/a.yaml:3:32"],
    ],
    [
      "a set of two files",
      "sets: {x: [192.0.2.1]}\n",
      { a: "sets: {x: []}\n" },
      ["error duplicate-name policy.d/a.yaml:2:8"],
    ],
    [
      "a zone of two drop-ins",
      "",
      { a: "zones: {x: eth1}\n", b: "zones: {x: eth2}\n" },
      ["error duplicate-name policy.d/b.yaml:2:9"],
    ],
    [
      "a scope of two files",
      "scopes: {bot: {user: bot}}\n",
      { a: "scopes: {bot: {user: root}}\n" },
      ["error duplicate-name policy.d/a.yaml:2:10"],
    ],
    [
      "a set of one file with the name of a zone of another",
      "zones: {x: eth1}\n",
      { a: "sets: {x: []}\n" },
      ["error name-of policy.d/a.yaml:2:8"],
    ],
    [
      "an interface of two zones in two files",
      "zones: {x: eth1}\n",
      { a: "zones: {y: eth*}\n" },
      ["error zone policy.d/a.yaml:2:12"],
    ],
    [
      "one user as the scope of two files",
      `scopes: {agent: {user: claw}}\n${JUDGED}`,
      { a: "scopes: {other: {user: claw}}\n" },
      ["error duplicate-scope policy.d/a.yaml:2:10"],
    ],
    [
      "a drop-in cannot say who the agent is that the main file judges",
      JUDGED,
      { a: "scopes: {agent: {user: nobody}}\n" },
      ["error drop-in policy.d/a.yaml:2:10"],
    ],
    [
      "it can where only drop-ins judge outbound, which is said",
      "",
      { a: `scopes: {agent: {user: claw}}\n${out("allow: a.example.com")}` },
      ["warning outbound-judged policy.d/a.yaml:3:1"],
    ],
    ["a key that no policy has", "", { a: "inbond: []\n" }, ["error unknown-key policy.d/a.yaml:2:1"]],
    [
      "one unknown key in two files",
      "x: 1\n",
      { a: "x: 1\n" },
      ["error unknown-key 2:1", "error unknown-key policy.d/a.yaml:2:1"],
    ],
    ["a later version", "", { a: "version: 2\n" }, ["error duplicate-key policy.d/a.yaml:2:1"]],
    [
      "a list that is none, in the main file",
      "inbound: {}\n",
      { a: inb("allow: shh, from: any") },
      ["error wrong-type 2:10", "error service policy.d/a.yaml:3:13"],
    ],
    [
      "a map that is none, in a drop-in",
      "sets: {}\n",
      { a: "sets: []\n" },
      ["error wrong-type policy.d/a.yaml:2:7"],
    ],
    [
      "broken syntax in one file hides no mistake of another",
      "inbound:\n  - [\n",
      { a: inb("allow: shh, from: office") },
      ["error unclosed 3:5", "error service policy.d/a.yaml:3:13"],
    ],
    [
      "a broad name in a drop-in needs the main file's accepted risk",
      JUDGED,
      { a: out('allow: "*.github.io"') },
      ["error public-suffix policy.d/a.yaml:3:13"],
    ],
    [
      "an owner that the main file requires",
      "defaults: {require: owner}\n",
      { a: inb("allow: ssh, from: any") },
      ["error missing-key policy.d/a.yaml:3:5"],
    ],
    [
      "a failing test of a drop-in",
      inb("allow: ssh, from: any"),
      { a: "tests:\n  - {inbound: {from: 192.0.2.1, port: 22}, expect: refuse}\n" },
      ["error test-failed policy.d/a.yaml:3:5"],
    ],
    [
      "a rule of a drop-in that reaches into a guard",
      "",
      { a: inb("allow: 18789, from: any") },
      ["warning guarded policy.d/a.yaml:3:5"],
    ],
  ];

  for (const [name, main, added, expected] of ROWS) {
    test(name, () => assert.deepEqual(said(check(main, added)), expected));
  }

  for (const [name, text, expected] of [
    ["an empty drop-in", "", ["error missing-key policy.d/a.yaml:1:1"]],
    ["a drop-in of comments", "# later\n", ["error missing-key policy.d/a.yaml:1:1"]],
    [
      "a drop-in without its version",
      inb("allow: ssh, from: any"),
      ["error missing-key policy.d/a.yaml:1:1"],
    ],
    ["a drop-in of another version", "version: 2\n", ["error version policy.d/a.yaml:1:10"]],
    [
      "a drop-in of more than 1 MB",
      `version: 1\n#${"x".repeat(1_048_576)}`,
      ["error too-large policy.d/a.yaml:1:1"],
    ],
    ["a drop-in that is a list", "- x\n", ["error root policy.d/a.yaml:1:1"]],
    ["a drop-in that is no text", "version: 1\u0000\n", ["error character policy.d/a.yaml:1:11"]],
  ] as const) {
    test(name, () => {
      const dropIns = [{ file: "policy.d/a.yaml", text }];
      const readSets = () => ({ sets: new Map(), diagnostics: [] });
      assert.deepEqual(said(checkPolicy("version: 1\n", { nowMs: NOW_MS, dropIns, readSets })), expected);
    });
  }

  for (const [name, main, added, message] of [
    [
      "a rule id",
      inb("allow: ssh, from: any, id: x"),
      { a: inb("allow: 80, from: any, id: x") },
      "the id `x` is given in `policy.yaml` and `policy.d/a.yaml`",
    ],
    [
      "a set",
      "",
      { a: "sets: {x: []}\n", b: "sets: {x: []}\n" },
      "the set `x` is in `policy.d/a.yaml` and `policy.d/b.yaml`",
    ],
  ] as const) {
    test(`the error about ${name} of two files names both`, () => {
      assert.equal(
        check(main, added).diagnostics.find(({ severity }) => severity === "error")?.message,
        message,
      );
    });
  }

  test("the rules of all files count together", () => {
    const rules = (count: number): string =>
      `inbound:\n${"  - {deny: ssh, from: 192.0.2.1, why: a reason long enough}\n".repeat(count)}`;
    assert.deepEqual(said(check(rules(1_000), { a: rules(1_000) })), []);
    assert.deepEqual(said(check(rules(1_000), { a: rules(1_001) })), [
      "error too-many-rules policy.d/a.yaml:1003:5",
    ]);
  });

  test("an empty main file says that drop-ins still allow", () => {
    const dropIns = [{ file: "policy.d/a.yaml", text: `version: 1\n${inb("allow: ssh, from: any")}` }];
    const readSets = () => ({ sets: new Map(), diagnostics: [] });
    const { policy, diagnostics } = checkPolicy("", { nowMs: NOW_MS, dropIns, readSets });
    assert.equal(policy?.inbound.length, 1);
    assert.deepEqual(policy?.outbound, []);
    assert.match(diagnostics[0]?.message ?? "", /what its drop-ins do not allow is denied/);
  });
});
