import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPolicy } from "./format.ts";

for (const [name, before, after] of [
  ["quotes wildcards", "a: [*.x.com, **.y.com]\nb: *.z.com\n", 'a: ["*.x.com", "**.y.com"]\nb: "*.z.com"\n'],
  ["turns single quotes into double", "a: 'x y'\n", 'a: "x y"\n'],
  [
    "keeps single quotes that protect",
    "a: 'x \"y\"'\nb: 'it''s'\nc: 'back\\slash'\n",
    "a: 'x \"y\"'\nb: 'it''s'\nc: 'back\\slash'\n",
  ],
  ["keeps quotes that make text of a number", 'a: "443"\n', 'a: "443"\n'],
  ["puts list items under their key", "a:\n- b: 1\n  c: 2\n- d: 3\n", "a:\n  - b: 1\n    c: 2\n  - d: 3\n"],
  [
    "makes four spaces two",
    "a:\n    - b: 1\n      c:\n          d: 1\n",
    "a:\n  - b: 1\n    c:\n      d: 1\n",
  ],
  ["makes one space after a dash", "a:\n  -   b: 1\n      c: 2\n", "a:\n  - b: 1\n    c: 2\n"],
  [
    "moves comments with their lines",
    "a:\n# for b\n- b: 1\n    # off\n",
    "a:\n  # for b\n  - b: 1\n  # off\n",
  ],
  ["keeps comments behind values", "a:   # the list\n- b # one\n", "a:   # the list\n  - b # one\n"],
  ["removes spaces at line ends and runs of empty lines", "a: 1  \n\n\n\nb: 2\n\n\n", "a: 1\n\nb: 2\n"],
  ["ends the file with a line end", "a: 1", "a: 1\n"],
  ["writes LF and no byte order mark", "\uFEFFa: 1\r\nb: 2\r\n", "a: 1\nb: 2\n"],
  ["lays out brackets over lines", "a: [\n 1,\n      2,\n   ]\n", "a: [\n  1,\n  2,\n]\n"],
  [
    "lays out nested brackets",
    "a:\n- b: [\n    {c: 1,\n     d: 2},\n    ]\n",
    "a:\n  - b: [\n      {c: 1,\n        d: 2},\n    ]\n",
  ],
  [
    "moves block scalars as a whole",
    "a:\n- b: >-\n      one\n       two\n\n      three\n",
    "a:\n  - b: >-\n      one\n       two\n\n      three\n",
  ],
  ["moves folded plain text", "a:\n- b: one\n   two\n", "a:\n  - b: one\n      two\n"],
  ["keeps a document start", "---\na: 1\n", "---\na: 1\n"],
  ["leaves a comment-only file", "# one\n\n# two\n", "# one\n\n# two\n"],
  ["leaves an empty file", "", ""],
] as const) {
  test(`fmt ${name}`, () => {
    assert.deepEqual(formatPolicy(before), { ok: true, text: after });
    assert.deepEqual(formatPolicy(after), { ok: true, text: after });
  });
}

for (const [name, text, code] of [
  ["an unclosed bracket", "a: [1\n", "policy/unclosed"],
  ["an anchor", "a: &x 1\n", "policy/anchor"],
  ["an alias that is no wildcard", "a: *x\n", "policy/alias"],
  ["a key given twice", "a: 1\na: 2\n", "policy/duplicate-key"],
] as const) {
  test(`fmt refuses ${name}`, () => {
    const formatted = formatPolicy(text);
    assert.equal(formatted.ok, false);
    assert.equal(!formatted.ok && formatted.diagnostics[0]?.code, code);
  });
}
