import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { NOW_MS, policyOf } from "../../../test/support/policy.ts";
import { type Hostname, parseHostname } from "../net/hostname.ts";
import { type Ip, parseIp } from "../net/ip.ts";
import { EMPTY_SET, type PrefixSet, prefixSetOf } from "../net/prefix-set.ts";
import { type NameVerdict, type ScopeJudge, scopeJudge } from "./judge.ts";
import { discover, type Nat64 } from "./nat64.ts";

const FUTURE = "2098-01-31";
const PAST = "2020-01-31";

interface Around {
  readonly mode?: string;
  readonly own?: PrefixSet;
  readonly nat64?: Nat64 | null;
  readonly risk?: string;
}

function judgeOf(rules: readonly string[], around: Around = {}): ScopeJudge {
  const { mode = "enforce", own = EMPTY_SET, nat64 = null, risk } = around;
  const text = [
    "version: 1",
    `mode: ${mode}`,
    "scopes: {agent: {user: 4242}, helper: {user: 4343}}",
    ...(risk === undefined ? [] : ["accept_risk:", `  - {${risk}, reason: needed for work, by: the test}`]),
    "outbound:",
    ...rules.map((rule) => `  - {${rule}, why: needed for work}`),
    "",
  ].join("\n");
  return scopeJudge(policyOf(text), "agent", { ownAddresses: own, nat64 });
}

function host(text: string): Hostname {
  const parsed = parseHostname(text);
  assert.ok(parsed.ok, text);
  return parsed.name;
}

function ip(text: string): Ip {
  const parsed = parseIp(text);
  assert.ok(parsed !== undefined, text);
  return parsed;
}

function said(verdict: NameVerdict): string {
  switch (verdict.kind) {
    case "listed":
      return verdict.observed === null ? "listed" : `watched: ${verdict.observed.reason}`;
    case "ancestor":
      return "ancestor";
    case "refused":
      return `refused: ${verdict.decision.reason}`;
  }
}

describe("whether a scope may ask for a name", () => {
  const ROWS: readonly (readonly [string, readonly string[], string, string, Around?])[] = [
    ["an exact name is listed", ["allow: api.example.com"], "api.example.com", "listed"],
    ["a neighbour is not", ["allow: api.example.com"], "www.example.com", "refused: default"],
    [
      "what is below an exact name is not",
      ["allow: api.example.com"],
      "x.api.example.com",
      "refused: default",
    ],
    ["what is above an exact name exists", ["allow: api.example.com"], "example.com", "ancestor"],
    ["and so does its top", ["allow: api.example.com"], "com", "ancestor"],
    ["a wildcard lists any depth", ["allow: '*.example.com'"], "a.b.example.com", "listed"],
    ["a wildcard never lists its apex", ["allow: '*.example.com'"], "example.com", "ancestor"],
    [
      "a suffix without a dot is another name",
      ["allow: '*.example.com'"],
      "notexample.com",
      "refused: default",
    ],
    [
      "a listed name as a prefix is another name",
      ["allow: example.com"],
      "example.com.evil.org",
      "refused: default",
    ],
    [
      "a rule of another scope lists nothing",
      ["allow: example.com, scope: helper"],
      "example.com",
      "refused: default",
    ],
    ["a name on another port is listed", ["allow: example.com, port: 8443"], "example.com", "listed"],
    ["a name over UDP is listed", ["allow: example.com, port: 123, protocol: udp"], "example.com", "listed"],
    [
      "a denied name is not listed",
      ["allow: '*.example.com'", "deny: api.example.com"],
      "api.example.com",
      "refused: denied",
    ],
    [
      "a name that is denied on one of its ports is listed",
      ["allow: example.com, port: [80, 443]", "deny: example.com, port: 80"],
      "example.com",
      "listed",
    ],
    [
      "a name denied on the ends of a range is listed for its web port",
      ["allow: example.com, port: 400-500", "deny: example.com, port: [400, 500]"],
      "example.com",
      "listed",
    ],
    [
      "an expired rule lists nothing",
      [`allow: example.com, expires: ${PAST}`],
      "example.com",
      "refused: default",
    ],
    [
      "an allow that is only watched lists nothing while the rest is enforced",
      ["allow: example.com, mode: observe", "allow: b.org"],
      "example.com",
      "refused: default",
    ],
    [
      "the name of a metadata service is guarded",
      ["allow: metadata.google.internal"],
      "metadata.google.internal",
      "refused: guard",
    ],
    [
      "in observe an unlisted name is answered and told",
      ["allow: b.org"],
      "example.com",
      "watched: default",
      { mode: "observe" },
    ],
    [
      "in observe an unlisted name above a listed one is answered too",
      ["allow: api.example.com"],
      "example.com",
      "watched: default",
      { mode: "observe" },
    ],
    [
      "in observe a watched deny is answered and told",
      ["deny: example.com"],
      "example.com",
      "watched: denied",
      { mode: "observe" },
    ],
    [
      "in observe an enforced deny holds",
      ["allow: example.com", "deny: example.com, mode: enforce"],
      "example.com",
      "refused: denied",
      { mode: "observe" },
    ],
    [
      "in observe a guard holds",
      ["allow: b.org"],
      "metadata.google.internal",
      "refused: guard",
      { mode: "observe" },
    ],
  ];
  for (const [title, rules, name, expected, around] of ROWS) {
    test(title, () => {
      assert.equal(said(judgeOf(rules, around).judgeName(host(name), NOW_MS)), expected);
    });
  }

  test("RFC 8020: a name above a listed one exists, although it is itself refused", () => {
    for (const refusal of [`allow: example.com, expires: ${PAST}`, "deny: example.com"]) {
      const verdict = judgeOf([refusal, "allow: api.example.com"]).judgeName(host("example.com"), NOW_MS);
      assert.ok(verdict.kind === "refused", refusal);
      assert.equal(verdict.isAncestor, true, refusal);
    }
  });

  test("with an absent `outbound` every name is listed", () => {
    const policy = policyOf("version: 1\nscopes: {agent: {user: 4242}}\n");
    const judge = scopeJudge(policy, "agent", { ownAddresses: EMPTY_SET, nat64: null });
    assert.equal(said(judge.judgeName(host("example.com"), NOW_MS)), "listed");
  });

  test("a scope that the policy does not have may ask for nothing", () => {
    const policy = policyOf(
      "version: 1\nscopes: {agent: {user: 4242}}\noutbound:\n  - {allow: example.com, why: needed for work}\n",
    );
    const judge = scopeJudge(policy, "nobody", { ownAddresses: EMPTY_SET, nat64: null });
    assert.equal(said(judge.judgeName(host("example.com"), NOW_MS)), "refused: invalid-scope");
  });
});

describe("which answers may be used", () => {
  const own = prefixSetOf([{ base: ip("203.1.113.7"), bits: 32 }]);
  const PUBLIC_RULE = ["allow: example.com"];
  const PRIVATE_RULE = ["allow: example.com, private: true"];
  const ROWS: readonly (readonly [string, readonly string[], string, boolean, Around?])[] = [
    ["a public address", PUBLIC_RULE, "93.184.216.34", true],
    ["a public IPv6 address", PUBLIC_RULE, "2606:4700::6810:1", true],
    ["rebinding to a private address", PUBLIC_RULE, "10.0.0.5", false],
    ["rebinding to the loopback", PUBLIC_RULE, "127.0.0.1", false],
    ["rebinding to the IPv6 loopback", PUBLIC_RULE, "::1", false],
    ["rebinding to the unspecified address", PUBLIC_RULE, "0.0.0.0", false],
    ["rebinding to CGNAT", PUBLIC_RULE, "100.64.0.1", false],
    ["rebinding to a ULA", PUBLIC_RULE, "fd12::1", false],
    ["rebinding to an IPv4-mapped address", PUBLIC_RULE, "::ffff:10.0.0.5", false],
    ["rebinding through 6to4", PUBLIC_RULE, "2002:a00:5::1", false],
    ["rebinding through Teredo", PUBLIC_RULE, "2001:0:a00:5::1", false],
    ["rebinding through the well-known NAT64 prefix", PUBLIC_RULE, "64:ff9b::a00:5", false],
    ["a public address behind NAT64", PUBLIC_RULE, "64:ff9b::5db8:d822", true],
    ["rebinding to a public address of this host", PUBLIC_RULE, "203.1.113.7", false, { own }],
    ["rebinding to this host through NAT64", PUBLIC_RULE, "64:ff9b::cb01:7107", false, { own }],
    ["a private address for a name that says so", PRIVATE_RULE, "10.0.0.5", true],
    ["this host for a name that says so", PRIVATE_RULE, "203.1.113.7", true, { own }],
    ["metadata for a name that says private", PRIVATE_RULE, "169.254.169.254", false],
    ["metadata that is a public address", PRIVATE_RULE, "168.63.129.16", false],
    ["metadata through NAT64 for a name that says private", PRIVATE_RULE, "64:ff9b::a9fe:a9fe", false],
    [
      "metadata while its guard is lifted",
      PRIVATE_RULE,
      "169.254.169.254",
      false,
      { risk: `guard: metadata, expires: ${FUTURE}` },
    ],
    [
      "metadata after the lifting of its guard expired",
      PUBLIC_RULE,
      "168.63.129.16",
      false,
      { risk: `guard: metadata, expires: ${PAST}` },
    ],
    ["link-local for a name that says private", PRIVATE_RULE, "169.254.1.1", false],
  ];
  for (const [title, rules, address, usable, around] of ROWS) {
    test(`${title}: ${address} is ${usable ? "used" : "refused"}`, () => {
      const judge = judgeOf(rules, around);
      assert.equal(judge.refuseAnswer(host("example.com"), ip(address)), usable ? null : "private-address");
    });
  }

  const NETWORKS = [
    ["a NAT64 prefix of the provider's", "2001:67c:2960::", null],
    // Only what a gate says makes it one, and a gate is not believed.
    ["a NAT64 prefix of a local network", "fd00:64::", "private-address"],
  ] as const;
  for (const [title, prefix, verdict] of NETWORKS) {
    const nat64 = discover(ip(`${prefix}c000:aa`));

    test(`rebinding through ${title}: a private address inside is refused`, () => {
      const judge = judgeOf(PUBLIC_RULE, { nat64 });
      assert.equal(judge.refuseAnswer(host("example.com"), ip(`${prefix}a00:5`)), "private-address");
      assert.equal(judge.refuseAnswer(host("example.com"), ip(`${prefix}a9fe:a9fe`)), "private-address");
    });

    test(`${title}: a public address inside is ${verdict === null ? "used" : "refused"}`, () => {
      const judge = judgeOf(PUBLIC_RULE, { nat64 });
      assert.equal(judge.refuseAnswer(host("example.com"), ip(`${prefix}5db8:d822`)), verdict);
    });
  }
});

describe("what is pinned for an answer", () => {
  const ROWS: readonly (readonly [string, readonly string[], string, string, Around?])[] = [
    ["a name on the web port", ["allow: example.com, id: a"], "93.184.216.34", "443 a"],
    ["a name on both", ["allow: example.com, port: [80, 443], id: a"], "93.184.216.34", "80,443 a"],
    ["a name on another port", ["allow: example.com, port: 8443, id: a"], "93.184.216.34", " a"],
    ["rebinding opens nothing", ["allow: example.com, id: a"], "10.0.0.5", " "],
    [
      "a private name opens its own ports only",
      ["allow: example.com, port: 8080, private: true, id: a", "allow: example.com, id: b"],
      "10.0.0.5",
      " a",
    ],
    ["an expired rule opens nothing", [`allow: example.com, id: a, expires: ${PAST}`], "93.184.216.34", " "],
    [
      "a deny of one port closes all the other ports of the rule",
      ["allow: example.com, port: 1000-2000, id: a", "deny: example.com, port: 1500"],
      "93.184.216.34",
      " ",
    ],
    [
      "a deny of the other protocol closes nothing",
      ["allow: example.com, port: 1000-2000, id: a", "deny: example.com, port: 1500, protocol: udp"],
      "93.184.216.34",
      " a",
    ],
    [
      "a deny of a wildcard counts",
      [
        "allow: api.example.com, port: 1000-2000, id: a",
        "allow: example.com, port: 22, id: b",
        "deny: '*.example.com', port: 1500",
      ],
      "93.184.216.34",
      " b",
    ],
    [
      "a denied address opens nothing",
      ["allow: example.com, id: a", "deny: 93.184.216.0/24"],
      "93.184.216.34",
      " ",
    ],
    [
      "in observe a name that is only watched opens nothing of a rule",
      ["allow: b.org, id: a"],
      "93.184.216.34",
      " ",
      { mode: "observe" },
    ],
    [
      "in observe a deny that is enforced counts",
      ["allow: example.com, port: 1000-2000, id: a", "deny: example.com, port: 1500, mode: enforce"],
      "93.184.216.34",
      " ",
      { mode: "observe" },
    ],
    [
      "in observe a deny that is watched does not",
      ["allow: example.com, port: 1000-2000, id: a", "deny: example.com, port: 1500"],
      "93.184.216.34",
      " a",
      { mode: "observe" },
    ],
  ];
  for (const [title, rules, address, expected, around] of ROWS) {
    test(title, () => {
      const { webPorts, direct } = judgeOf(rules, around).pinnable(host("example.com"), ip(address), NOW_MS);
      assert.equal(`${webPorts.join()} ${direct.join()}`, expected);
    });
  }
});

describe("names of which anybody may choose the labels", () => {
  const ROWS = [
    ["an exact name is not one", ["allow: api.example.com"], "api.example.com", false],
    ["what only a wildcard lists is one", ["allow: '*.example.com'"], "api.example.com", true],
    [
      "what is also listed exactly is not",
      ["allow: '*.example.com'", "allow: api.example.com"],
      "api.example.com",
      false,
    ],
  ] as const;
  for (const [title, rules, name, expected] of ROWS) {
    test(title, () => assert.equal(judgeOf(rules).isOpenEnded(host(name)), expected));
  }
});
