import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Diagnostic } from "../../base/diagnostic.ts";
import { parsePolicy } from "./parse.ts";

const NOW_MS = Date.UTC(2026, 10, 1);
const PRESETS = new Set(["openclaw", "anthropic", "telegram"]);

function parse(text: string) {
  return parsePolicy(text, { nowMs: NOW_MS, presets: PRESETS });
}

function codeAt({ code, span }: Diagnostic): string {
  return `${code.replace(/^policy\//, "")}@${span.line}:${span.column}`;
}

interface BadRow {
  readonly name: string;
  readonly text: string;
  readonly expected: readonly string[];
}

const BAD = JSON.parse(
  readFileSync(new URL("../../../../test/cases/policy-errors.json", import.meta.url), "utf8"),
) as BadRow[];

test("the table of mistakes is there", () => {
  assert.ok(BAD.length >= 270, `${BAD.length} rows`);
  assert.equal(new Set(BAD.map((row) => row.name)).size, BAD.length, "row names are unique");
});

for (const row of BAD) {
  test(`refused with all places: ${row.name}`, () => {
    const { document, diagnostics } = parse(row.text);
    assert.equal(document, null);
    assert.deepEqual(diagnostics.map(codeAt), row.expected);
    const lines = row.text.replace(/^\uFEFF/, "").split("\n");
    for (const { message, span } of diagnostics) {
      assert.match(message, /^[a-z`]/, "a message begins in lower case");
      assert.doesNotMatch(message, /[.\n]$/, "a message ends without a period");
      const line = lines[span.line - 1];
      assert.ok(line !== undefined, "the span is in the file");
      assert.ok(span.column + span.length - 1 <= Math.max(1, line.length), "the span is in its line");
    }
  });
}
