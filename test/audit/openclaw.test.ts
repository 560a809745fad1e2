/** What real configurations of OpenClaw 2026.9.6 and its own recorded answers are judged to be. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { checkNamed } from "../../src/core/audit/check/all.ts";
import type { ConfigObject } from "../../src/core/audit/fact/openclaw.ts";
import { parseJson5 } from "../../src/core/openclaw/json.ts";
import { oldSpellings } from "../../src/core/audit/read/old-spelling.ts";
import {
  configValue,
  parseDoctor,
  parseOpenclawAudit,
  parseSecretsAudit,
} from "../../src/core/audit/read/openclaw.ts";
import { parseSudoList } from "../../src/core/audit/read/sudo.ts";
import { read, unreadable } from "../../src/core/audit/reading.ts";
import { change } from "./facts/change.ts";
import { goodFacts } from "./facts/good.ts";
import { GOOD_INSTANCE } from "./facts/good-agent.ts";

const recorded = (name: string): string => readFileSync(new URL(`recorded/${name}`, import.meta.url), "utf8");

function configOf(name: string): ConfigObject {
  const parsed = parseJson5(recorded(`audit-config-${name}.json5`));
  assert.ok(parsed.ok);
  return configValue(parsed.value) as ConfigObject;
}

/** Configuration to what it fails, and some of what holds. */
const ROWS: readonly (readonly [config: string, fails: readonly string[], holds: readonly string[]])[] = [
  ["fresh", ["APP-002", "APP-005", "APP-006", "APP-007"], ["APP-001", "APP-012"]],
  ["lan-notoken", ["APP-001", "APP-002", "APP-012"], ["APP-016"]],
  [
    "exec-open-dm",
    ["APP-002", "APP-003", "APP-004", "APP-005", "APP-006", "APP-007", "APP-019"],
    ["APP-001"],
  ],
  ["tailnet-hooks", ["APP-002", "APP-011", "APP-012", "APP-016"], ["APP-001"]],
  ["sandbox-bad", ["APP-002", "APP-024"], []],
  [
    "hardened",
    [],
    [
      "APP-001",
      "APP-002",
      "APP-003",
      "APP-004",
      "APP-005",
      "APP-006",
      "APP-007",
      "APP-010",
      "APP-011",
      "APP-016",
      "APP-019",
      "APP-020",
      "APP-022",
      "APP-024",
    ],
  ],
];

describe("configurations that OpenClaw's own audit was run on", () => {
  for (const [name, fails, holds] of ROWS) {
    test(`${name}: fails ${fails.join(" ") || "nothing"}`, () => {
      const silent = {
        answers: unreadable("it does not run", "openclaw gateway start"),
        pid: null,
        listeners: [],
        tokenInEnvironment: { present: false, length: 0 },
      };
      const facts = change(goodFacts(), "openclaw", {
        instances: [{ ...GOOD_INSTANCE, ...silent, config: read(configOf(name)) }],
      });
      const status = (id: string): string => `${id} ${checkNamed(id)?.judge(facts).status ?? "?"}`;
      assert.deepEqual(
        fails.map(status),
        fails.map((id) => `${id} fail`),
      );
      assert.deepEqual(
        holds.map(status),
        holds.map((id) => `${id} pass`),
      );
    });
  }
});

describe("what OpenClaw's own commands print", () => {
  const counts: readonly (readonly [string, number, number])[] = [
    ["audit-fresh.json", 1, 2],
    ["audit-lan-notoken.json", 3, 1],
    ["audit-exec-open-dm.json", 6, 4],
    ["audit-tailnet-hooks.json", 3, 7],
    ["audit-perms.json", 3, 2],
    ["audit-hardened.json", 0, 0],
  ];
  for (const [file, critical, warn] of counts) {
    test(`${file}: ${critical} critical, ${warn} warnings`, () => {
      const audit = parseOpenclawAudit(recorded(file));
      assert.deepEqual([audit?.critical, audit?.warn], [critical, warn]);
      assert.equal(audit?.findings.filter(({ severity }) => severity === "critical").length, critical);
    });
  }

  test("the other shape that --fix gives is read too", () => {
    assert.ok((parseOpenclawAudit(recorded("audit-fix.json"))?.findings.length ?? 0) > 0);
  });

  test("notes before the JSON, an empty answer, and something else", () => {
    assert.equal(parseOpenclawAudit(`note: {curly}\n${recorded("audit-fresh.json")}`)?.critical, 1);
    assert.equal(parseOpenclawAudit(""), undefined);
    assert.equal(parseOpenclawAudit("[]"), undefined);
    assert.equal(parseOpenclawAudit('{"summary": 1}'), undefined);
    assert.deepEqual(
      parseSecretsAudit(
        '{"summary":{"plaintextCount":1},"findings":[{"code":"PLAINTEXT_FOUND","file":"openclaw.json","jsonPath":"a.b"}]}',
      ),
      { plaintext: 1, details: ["openclaw.json: a.b"] },
    );
    assert.deepEqual(parseDoctor('{"ok":false,"findings":[{"severity":"error","message":"no"}]}'), {
      ok: false,
      findings: ["no"],
    });
    assert.equal(parseDoctor("nothing"), undefined);
  });
});

describe("spellings of older guides are told with today's key", () => {
  const rows: readonly (readonly [string, RegExp])[] = [
    ["{gateway: {port: 3000, authToken: 'x'}}", /gateway\.auth/],
    ["{gateway: {host: '127.0.0.1'}}", /gateway\.bind/],
    ["{gateway: {bind: '0.0.0.0'}}", /loopback/],
    ["{pairing: {autoApprove: true}}", /dmPolicy/],
    ["{security: {allowedPaths: ['/srv']}}", /workspaceOnly/],
    ["{security: {deniedPaths: ['/etc']}}", /sandbox/],
    ["{providers: {anthropic: {apiKey: 'x'}}}", /models\.providers/],
    ["{tools: {exec: {security: 'denied'}}}", /"deny"/],
    ["{dmPolicy: 'open'}", /per channel/],
    ["{gateway: {port: 8080}}", /18789/],
  ];
  for (const [text, today] of rows) {
    test(text, () => {
      const parsed = parseJson5(text);
      assert.ok(parsed.ok);
      assert.ok(oldSpellings(configValue(parsed.value) as ConfigObject).some((one) => today.test(one.today)));
    });
  }
  test("today's configuration has none", () => assert.deepEqual(oldSpellings(configOf("hardened")), []));
});

describe("what other tools say", () => {
  test("what sudo lists for a user", () => {
    const text =
      "Matching Defaults entries for bob on host:\n    env_reset\n\nUser bob may run the following commands on host:\n    (root) NOPASSWD: /usr/bin/systemctl restart openclaw\n    (ALL : ALL) ALL\n";
    assert.deepEqual(parseSudoList(text), [
      "(root) NOPASSWD: /usr/bin/systemctl restart openclaw",
      "(ALL : ALL) ALL",
    ]);
    assert.deepEqual(parseSudoList("User bob is not allowed to run sudo on host.\n"), []);
  });
});
