import assert from "node:assert/strict";
import { test } from "node:test";
import type { Diagnostic } from "../../core/base/diagnostic.ts";
import { renderDiagnostics } from "./diagnostic.ts";

function diagnostic(change: Partial<Diagnostic>): Diagnostic {
  return {
    code: "policy/unknown-key",
    severity: "error",
    message: "`wy` is not a key of an inbound rule",
    help: "did you mean `why`?",
    span: { line: 2, column: 5, length: 2 },
    ...change,
  };
}

const TEXT = "inbound:\n  - wy: administration\n";

test("a diagnostic shows place, line, caret and help", () => {
  assert.equal(
    renderDiagnostics([diagnostic({})], TEXT, "policy.yaml", false),
    [
      "policy.yaml:2:5: error: `wy` is not a key of an inbound rule [policy/unknown-key]",
      "  2 |   - wy: administration",
      "    |     ^^",
      "  help: did you mean `why`?",
      "",
    ].join("\n"),
  );
});

test("a diagnostic without help has no help line", () => {
  assert.doesNotMatch(renderDiagnostics([diagnostic({ help: null })], TEXT, "p", false), /help/);
});

test("colour is used only when asked for", () => {
  const escape = "\u001b";
  assert.ok(!renderDiagnostics([diagnostic({})], TEXT, "p", false).includes(escape));
  assert.ok(renderDiagnostics([diagnostic({})], TEXT, "p", true).includes(`${escape}[31m`));
});

test("control characters of the file never reach the terminal", () => {
  const text = "inbound:\n  - wy: \u001b[2Jx\u202e\u0007\n";
  const shown = renderDiagnostics([diagnostic({ message: "bad \u001b[1m" })], text, "p\u001b]0;x", false);
  assert.ok(!/[\u001b\u0007\u202e]/.test(shown));
});

test("the caret stands under a wide character's column", () => {
  const text = "why: \u65e5\u672c x\n";
  const shown = renderDiagnostics(
    [diagnostic({ span: { line: 1, column: 9, length: 1 }, help: null })],
    text,
    "p",
    false,
  );
  assert.equal(shown.split("\n")[2], "    |           ^");
});

test("a long line is cut around the span", () => {
  const text = `${"x".repeat(5_000)}BAD${"y".repeat(5_000)}`;
  const span = { line: 1, column: 5_001, length: 3 };
  const [, line = "", caret = ""] = renderDiagnostics([diagnostic({ span })], text, "p", false).split("\n");
  assert.ok(line.length < 200, `${line.length}`);
  assert.equal(line.indexOf("BAD"), caret.indexOf("^"));
});

test("a place behind the end of the file shows no line", () => {
  const span = { line: 99, column: 1, length: 1 };
  assert.equal(renderDiagnostics([diagnostic({ span, help: null })], TEXT, "p", false).split("\n").length, 2);
});
