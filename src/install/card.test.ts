/** One card, wherever it is printed. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CARD_HEAD, cardText, installedCard, wayBackCard } from "./card.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const CARD = cardText(installedCard());
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

test("the file that is installed is the card", () => assert.equal(read("share/boot/way-back.txt"), CARD));

test("`seawall rescue --help` prints it without Node", () => {
  const out = execFileSync("/bin/sh", [join(ROOT, "share/boot/rescue.sh"), "--help"], {
    env: {},
    encoding: "utf8",
  });
  assert.ok(out.endsWith(CARD), out);
});

test("postinst prints the file", () => {
  assert.match(read("share/debian/postinst"), /^ {2}cat \/usr\/lib\/seawall\/way-back\.txt$/m);
});

test("README has its head and each of its lines", () => {
  const readme = read("README.md");
  assert.ok(readme.includes(CARD_HEAD.join("\n")));
  for (const line of CARD.split("\n").slice(CARD_HEAD.length)) assert.ok(readme.includes(`${line}\n`), line);
});

test("it fits a screen of 80 columns, and every line names what it is good for", () => {
  for (const line of CARD.split("\n")) assert.ok(line.length <= 80, line);
  for (const { meaning } of [...installedCard(), ...wayBackCard()])
    assert.match(meaning, /now|start|console/);
});
