import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { auditHtml } from "../../src/cli/render/audit-html.ts";
import { auditJson } from "../../src/cli/render/audit-json.ts";
import { auditMarkdown } from "../../src/cli/render/audit-markdown.ts";
import { auditSarif } from "../../src/cli/render/audit-sarif.ts";
import { auditScreen, viewScreen } from "../../src/cli/render/audit.ts";
import { CHECKS, checkNamed } from "../../src/core/audit/check/all.ts";
import { EVIDENCE_MAX } from "../../src/core/audit/check.ts";
import { differenceOf } from "../../src/core/audit/difference.ts";
import { failsAt, recordOf, reportOf } from "../../src/core/audit/report.ts";
import { scoreOf } from "../../src/core/audit/score.ts";
import { VIEWS, viewNamed } from "../../src/core/audit/view.ts";
import { parseOperatorWord } from "../../src/core/audit/waiver.ts";
import { absent, unreadable } from "../../src/core/audit/reading.ts";
import { badFacts } from "./facts/bad.ts";
import { change } from "./facts/change.ts";
import { goodFacts } from "./facts/good.ts";
import { GOOD_INSTANCE } from "./facts/good-agent.ts";
import { NOW } from "./facts/moment.ts";

const good = reportOf(CHECKS, goodFacts(), [], null);
const bad = reportOf(CHECKS, badFacts(), [], null);
const isCheck = (id: string): boolean => checkNamed(id) !== undefined;

describe("the score", () => {
  test("is 100 where all that applies is shown, and near 0 where nothing is", () => {
    assert.equal(good.score.value, 100);
    assert.ok((bad.score.value ?? 100) < 5, String(bad.score.value));
    assert.deepEqual([good.verdict, bad.verdict], ["hard", "exposed"]);
  });

  test("adds up: shown, failed and unproven points are all there are", () => {
    for (const { score } of [good, bad])
      assert.equal(score.shown + score.failed + score.unproven, score.possible);
  });

  test("what could not be seen counts as not shown", () => {
    const hidden = unreadable("only root may see it", "sudo seawall audit");
    const report = reportOf(CHECKS, { ...goodFacts(), ssh: hidden }, [], null);
    assert.ok((report.score.value ?? 0) < 100 && report.score.unproven > 0);
    assert.equal(report.verdict, "unproven");
  });

  test("nothing applies, nothing is scored", () => {
    assert.equal(scoreOf([]).value, null);
  });
});

describe("views", () => {
  for (const view of VIEWS) {
    test(`${view.name} names checks that exist, and every item is answered with evidence`, () => {
      for (const { checks, text } of view.items) assert.ok(checks.length > 0 && checks.every(isCheck), text);
      for (const facts of [goodFacts(), badFacts()]) {
        const answered = reportOf(CHECKS, facts, [], view).view?.items ?? [];
        assert.equal(answered.length, view.items.length);
        for (const { evidence, text } of answered) assert.ok(evidence.length > 0, text);
      }
    });
  }

  test("all thirteen items hold on the good host; on the bad one eleven fail and two are for you to state", () => {
    const checklist = viewNamed("checklist");
    const status = (facts: ReturnType<typeof goodFacts>): string[] =>
      (reportOf(CHECKS, facts, [], checklist ?? null).view?.items ?? []).map((item) => item.status);
    assert.deepEqual(
      status(goodFacts()),
      Array.from({ length: 13 }, () => "pass"),
    );
    assert.deepEqual(status(badFacts()), [...Array.from({ length: 11 }, () => "fail"), "unknown", "unknown"]);
  });

  test("the six nevers all fail on the bad host, and the eight layers too", () => {
    for (const [name, count] of [
      ["never", 6],
      ["layers", 8],
    ] as const) {
      const items = reportOf(CHECKS, badFacts(), [], viewNamed(name) ?? null).view?.items ?? [];
      assert.deepEqual(
        items.map(({ status }) => status),
        Array.from({ length: count }, () => "fail"),
        name,
      );
    }
  });
});

describe("waivers", () => {
  const waiver = { check: "FW-001", why: "behind another firewall", owner: "ann", expires: "2026-12-31" };

  test("a waived failure is still shown, costs nothing and fails nothing", () => {
    const waived = CHECKS.map(({ id }) => ({ ...waiver, check: id }));
    const report = reportOf(CHECKS, badFacts(), waived, null);
    assert.equal(failsAt(report, "info"), false);
    assert.equal(report.summary.fail, bad.summary.fail);
    assert.equal(report.findings.find(({ id }) => id === "FW-001")?.waived?.owner, "ann");
  });

  test("one that has expired does not hold, and says so", () => {
    const report = reportOf(CHECKS, badFacts(), [{ ...waiver, expires: "2026-11-20" }], null);
    const finding = report.findings.find(({ id }) => id === "FW-001");
    assert.equal(finding?.waived, null);
    assert.match(finding?.evidence.join("\n") ?? "", /waiver of ann expired on 2026-11-20/);
  });

  test("it holds on its last day", () => {
    const report = reportOf(CHECKS, badFacts(), [{ ...waiver, expires: "2026-11-21" }], null);
    assert.notEqual(report.findings.find(({ id }) => id === "FW-001")?.waived, null);
    assert.equal(new Date(NOW).toISOString().slice(0, 10), "2026-11-21");
  });

  const rows: readonly (readonly [string, string, RegExp | null])[] = [
    [
      "a whole entry",
      "waivers:\n  - {check: ssh-021, why: only one account here, owner: ann, expires: '2027-01-01'}",
      null,
    ],
    [
      "a reason that says nothing",
      "waivers:\n  - {check: SSH-021, why: ok, owner: ann, expires: '2027-01-01'}",
      /less than 10/,
    ],
    [
      "no owner",
      "waivers:\n  - {check: SSH-021, why: only one account here, expires: '2027-01-01'}",
      /owner/,
    ],
    ["no end", "waivers:\n  - {check: SSH-021, why: only one account here, owner: ann}", /expires/],
    [
      "a check that does not exist",
      "waivers:\n  - {check: SSH-999, why: only one account here, owner: ann, expires: '2027-01-01'}",
      /no check SSH-999/,
    ],
    ["a key that is misspelt", "waiver:\n  - {}", /unknown key `waiver`/],
    [
      "an attestation of what can be seen",
      "attested:\n  - {check: SSH-002, says: it is really off, owner: ann, on: '2026-11-01'}",
      /can be seen/,
    ],
    ["text that is no YAML", "waivers: [", /audit\.yaml/],
    ["a list at the top", "- a", /must hold/],
    ["an alias that grows", "a: &a [x]\nwaivers: [*a]", /./],
  ];
  for (const [sentence, text, problem] of rows) {
    test(`audit.yaml: ${sentence}`, () => {
      const word = parseOperatorWord(text, isCheck);
      if (problem === null) assert.deepEqual([word.problems.length, word.waivers.length], [0, 1]);
      else {
        assert.match(word.problems.join("\n"), problem);
        assert.deepEqual([...word.waivers, ...word.attested], []);
      }
    });
  }
});

describe("differences", () => {
  test("from good to bad everything that changed is worse, and the other way round better", () => {
    const [first, second] = [recordOf(good), recordOf(bad)];
    assert.ok(differenceOf(first, second).filter(({ kind }) => kind === "worse").length > 100);
    assert.equal(differenceOf(second, first).filter(({ kind }) => kind === "worse").length, 0);
    assert.deepEqual(differenceOf(first, first), []);
  });

  test("what can no longer be seen is worse than what was shown", () => {
    const hidden = reportOf(CHECKS, { ...goodFacts(), fail2ban: unreadable("only root", "sudo") }, [], null);
    assert.equal(
      differenceOf(recordOf(good), recordOf(hidden)).find(({ id }) => id === "F2B-002")?.kind,
      "worse",
    );
  });
});

describe("formats", () => {
  const HOSTILE = "\u001b[2J</code><script>alert(1)</script>`|`\n# x & \"y\" 'z' \u202e";
  const hostile = reportOf(
    CHECKS,
    change(badFacts(), "openclaw", {
      instances: [
        { ...GOOD_INSTANCE, config: absent(HOSTILE) },
        {
          ...GOOD_INSTANCE,
          name: HOSTILE,
          listeners: [{ protocol: "tcp", address: "0.0.0.0", port: 1, uid: 1, pid: 1, program: HOSTILE }],
        },
      ],
    }),
    [],
    VIEWS[0] ?? null,
  );

  test("JSON holds what scripts rely on", () => {
    const parsed = JSON.parse(auditJson(bad)) as {
      schema: string;
      score: number;
      summary: object;
      findings: Record<string, unknown>[];
    };
    assert.equal(parsed.schema, "seawall/v1");
    assert.equal(typeof parsed.score, "number");
    assert.equal(new Set(parsed.findings.map(({ id }) => id)).size, CHECKS.length);
    for (const finding of parsed.findings) {
      for (const key of ["id", "layer", "status", "severity", "title", "evidence", "fix"])
        assert.ok(key in finding, key);
      assert.ok(Array.isArray(finding["evidence"]) && finding["evidence"].length > 0);
    }
  });

  test("HTML holds no text of the host as markup, no script and nothing from elsewhere", () => {
    const html = auditHtml(hostile);
    assert.doesNotMatch(html, /<script|\u001b|\u202e|https?:\/\/(?!agent)[^"]*\.(js|css)/);
    assert.match(html, /&lt;script&gt;/);
    assert.match(html, /Content-Security-Policy" content="default-src 'none'/);
  });

  test("Markdown keeps text of the host inside its code spans", () => {
    const markdown = auditMarkdown(hostile);
    assert.doesNotMatch(markdown, /\u001b|^# x/m);
    for (const line of markdown.split("\n").filter((one) => one.includes("<script>")))
      assert.match(line, /``+[^\n]*<script>[^\n]*``+/);
  });

  test("the screen holds no control character of others", () => {
    assert.doesNotMatch(auditScreen(hostile, { color: false, all: true }), /\u001b|\u202e/);
    assert.ok(hostile.view !== null && !/\u001b/.test(viewScreen(hostile.view, { color: false, all: true })));
  });

  test("SARIF 2.1.0 has a rule for each result, and levels that code scanning knows", () => {
    const { runs, version } = JSON.parse(auditSarif(bad)) as {
      version: string;
      runs: {
        tool: { driver: { rules: { id: string }[] } };
        results: { ruleId: string; level: string; kind: string; message: { text: string } }[];
      }[];
    };
    assert.equal(version, "2.1.0");
    const [run] = runs;
    const ids = new Set(run?.tool.driver.rules.map(({ id }) => id));
    assert.equal(run?.results.length, CHECKS.length);
    for (const { ruleId, level, kind, message } of run?.results ?? []) {
      assert.ok(ids.has(ruleId));
      assert.ok(
        ["error", "warning", "note", "none"].includes(level) &&
          ["pass", "fail", "open", "notApplicable"].includes(kind),
      );
      // SARIF 3.27.10: only a failure has a level.
      assert.equal(kind === "fail", level !== "none", ruleId);
      assert.ok(message.text.length > 0);
    }
  });

  test("the screen says the verdict first, the worst next, and one command that helps", () => {
    const lines = auditScreen(bad, { color: false, all: false }).split("\n");
    assert.match(lines[0] ?? "", /^EXPOSED/);
    assert.match(lines.find((line) => line.startsWith("FAIL")) ?? "", /critical/);
    assert.equal(lines.filter((line) => line.startsWith("Next:")).length, 1);
  });

  test("its last lines name the worst, in an order that is safe, and fold the trifles", () => {
    const text = auditScreen(bad, { color: false, all: false });
    const lines = text.trimEnd().split("\n");
    assert.match(lines.at(-5) ?? "", /^\d+ critical, do these 3 first:$/);
    assert.match(lines.at(-4) ?? "", /^ {2}SSH-020 /);
    assert.match(text, /^also {6}\d+ medium, \d+ low, \d+ info: seawall audit --all$/m);
    assert.doesNotMatch(text, /NOT SO|not so/);
    assert.doesNotMatch(text, /^FAIL (medium|low|info)/m);
  });

  test("a fix of several lines is shown as it may be pasted", () => {
    assert.match(
      auditScreen(bad, { color: false, all: false }),
      /^ {5}fix {2}# SSH comes in on [^\n]+\n {10}sed -i/m,
    );
  });

  test("evidence is bounded, and says how much more there was", () => {
    const findings = bad.findings.map(({ evidence }) => evidence.length);
    assert.ok(Math.max(...findings) <= EVIDENCE_MAX + 1);
  });
});
