import assert from "node:assert/strict";
import { test } from "node:test";
import { plain, plainJson, plainLines } from "./plain.ts";

const HOSTILE: readonly (readonly [string, string])[] = [
  ["an escape sequence", "\u001b[2J"],
  ["an escape sequence of eight bits", "\u009b2J"],
  ["a title of the terminal", "\u001b]0;owned\u0007"],
  ["a bell", "\u0007"],
  ["a carriage return", "\r"],
  ["a NUL", "\u0000"],
  ["a delete", "\u007f"],
  ["a change of direction", "\u202e"],
  ["an isolated direction", "\u2066"],
  ["a mark of direction", "\u200f"],
  ["a mark of direction in Arabic", "\u061c"],
  ["a space without width", "\u200b"],
  ["a separator of lines", "\u2028"],
  ["a separator of paragraphs", "\u2029"],
  ["a next line", "\u0085"],
  ["a lone surrogate", "\ud800"],
  ["the other lone surrogate", "\udc00"],
  ["a tag that nobody sees", "\u{e0041}"],
  ["a character of private use", "\ue000"],
  ["what is no character", "\uffff"],
];
const BAD = /[^\n\P{C}]|[\u2028\u2029]/u;

for (const [what, sign] of [...HOSTILE, ["a line end", "\n"], ["a tab", "\t"]] as const) {
  test(`${what} in a name is not shown`, () => {
    const shown = plain(`a${sign}b`);
    assert.doesNotMatch(shown, BAD);
    assert.ok(!shown.includes("\n") && shown.startsWith("a?") && shown.endsWith("b"), JSON.stringify(shown));
  });
}

for (const [what, sign] of HOSTILE) {
  test(`${what} in lines reaches no terminal, with colour or without, and JSON keeps it as an escape`, () => {
    for (const styled of [false, true]) assert.doesNotMatch(plainLines(`one\n${sign}two\n`, styled), BAD);
    const json = plainJson(`${JSON.stringify({ name: sign })}\n`);
    assert.doesNotMatch(json, BAD);
    assert.deepEqual(JSON.parse(json), { name: sign });
  });
}

test("ten thousand marks on one letter become a few", () => {
  const letter = `e${"\u0301".repeat(10_000)}!`;
  for (const shown of [plain(letter), plainLines(letter, true)]) {
    assert.ok(shown.length < 10 && shown.endsWith("!"), String(shown.length));
  }
});

test("our own colours pass where there are colours, and nowhere else", () => {
  const text = "\u001b[31merror\u001b[0m\n";
  assert.equal(plainLines(text, true), text);
  assert.doesNotMatch(plainLines(text, false), BAD);
  assert.doesNotMatch(plainLines("\u001b[31merror\u001b[0J", true), /\u001b\[0J/);
});

test("ordinary text of any language stays as it is", () => {
  for (const text of [
    "seawall \u2013 caf\u00e9",
    "\u65e5\u672c\u8a9e",
    "e\u0301",
    "\u{1f525}",
    "\u0928\u093f\u0915",
  ])
    assert.equal(plain(text), text);
});
