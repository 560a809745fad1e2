import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkPolicy } from "../check.ts";
import { parseNamePattern } from "../../net/name-pattern.ts";
import { parsePolicy } from "../parse/parse.ts";
import { PRESETS, presetPatterns } from "./preset.ts";
import { exfiltrationGrade } from "./way-out.ts";
import { wayOutNotices } from "./way-out-notice.ts";

const NOW_MS = Date.UTC(2026, 10, 21);

function gradeOf(text: string): string | null {
  const parsed = parseNamePattern(text);
  assert.ok(parsed.ok, text);
  const out = exfiltrationGrade(parsed.pattern);
  return out === null ? null : `${out.grade} ${out.name}`;
}

describe("as a way out", () => {
  for (const [text, expected] of [
    ["api.telegram.org", "open api.telegram.org"],
    ["discord.com", "open discord.com"],
    ["hooks.slack.com", "open hooks.slack.com"],
    ["files.slack.com", "account *.slack.com"],
    ["*.slack.com", "open hooks.slack.com"],
    ["github.com", "account github.com"],
    ["raw.githubusercontent.com", "narrow *.githubusercontent.com"],
    ["s3.eu-central-1.amazonaws.com", "account *.amazonaws.com"],
    // A row that names the host beats the suffix over it: Bedrock is no bucket.
    ["bedrock-runtime.us-east-1.amazonaws.com", "key bedrock-runtime.us-east-1.amazonaws.com"],
    ["*.us-east-1.amazonaws.com", "account *.amazonaws.com"],
    ["*.com", "open discord.com"],
    ["pastebin.com", "open pastebin.com"],
    ["abc.oast.fun", "open *.oast.fun"],
    ["api.anthropic.com", "key api.anthropic.com"],
    ["www.googleapis.com", "account www.googleapis.com"],
    ["generativelanguage.googleapis.com", "key generativelanguage.googleapis.com"],
    ["api.example.com", null],
    ["notgithub.com", null],
    ["github.com.example.net", null],
  ] as const) {
    test(`${text} is ${expected ?? "not known"}`, () => {
      assert.equal(gradeOf(text), expected);
    });
  }

  test("every channel reaches people who are not the operator", () => {
    for (const { name, kind } of PRESETS) {
      if (kind !== "channel") continue;
      const grades = (presetPatterns(name) ?? []).map((pattern) => exfiltrationGrade(pattern)?.grade);
      assert.ok(grades.includes("open") || grades.includes("account"), name);
    }
  });
});

describe("the notice of a policy", () => {
  const text = `version: 1
outbound:
  - allow: [github.com, api.example.com, api.anthropic.com]
    why: skills from the repository
  - use: [telegram]
    why: the channel of this agent
  - deny: [pastebin.com]
    why: nothing is to be pasted there
`;
  test("names what the file allows itself, not presets, denials and keys", () => {
    const { document } = parsePolicy(text, { nowMs: NOW_MS });
    assert.ok(document !== null);
    const notices = wayOutNotices(document);
    assert.deepEqual(
      notices.map(({ code, severity, span }) => `${severity} ${code}@${span.line}:${span.column}`),
      ["notice policy/way-out@3:13"],
    );
    assert.match(notices[0]?.message ?? "", /^`github\.com` is shared: anybody can have a repository/);
  });

  test("is no warning: the policy stays usable", () => {
    const check = checkPolicy(text, {
      nowMs: NOW_MS,
      readSets: () => ({ sets: new Map(), diagnostics: [] }),
    });
    assert.ok(check.policy !== null);
    assert.ok(check.diagnostics.every(({ severity }) => severity === "notice"));
  });
});
