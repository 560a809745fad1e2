/** Walks the tree of commands: each is explained whole, and its examples are its own. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parseArgs } from "node:util";
import { VERSION } from "../../src/core/base/version.ts";
import type { Command } from "../../src/cli/command.ts";
import { EXIT } from "../../src/cli/exit-code.ts";
import { GROUPS } from "../../src/cli/group.ts";
import { COMMANDS } from "../../src/cli/registry.ts";
import { COLUMNS_MAX, helpOf, overview, overviewOf } from "../../src/cli/render/help.ts";
import { wordsOf } from "../support/shell-words.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const loaded = await Promise.all(
  Object.entries(COMMANDS).map(async ([words, entry]) => ({
    words,
    entry,
    command: (await entry.load()).command,
  })),
);

for (const { words, entry, command } of loaded) {
  describe(`seawall ${words}`, () => {
    test("is registered under its own words, with its own summary", () => {
      assert.equal(command.path.join(" "), words);
      assert.equal(command.summary, entry.summary);
      assert.match(command.summary, /^[A-Z].*[^.]$/);
    });

    test("says in whole sentences what it does and what it never does", () => {
      assert.match(command.about, /^[A-Z].*\.$/);
      assert.match(command.about, /\b(never|changes nothing)\b/);
      assert.ok(command.about.length <= 260, `${command.about.length} characters`);
    });

    test("names in its usage exactly the options that it has", () => {
      for (const line of command.usage.split("\n"))
        assert.ok(`${line} `.startsWith(`seawall ${words} `), line);
      assert.deepEqual(optionsNamed(command), Object.keys(command.options).toSorted());
    });

    test("describes every option in the help", () => {
      const help = helpOf(command);
      for (const option of Object.keys(command.options)) {
        assert.ok((command.optionHelp[option] ?? "").length > 5, `--${option} is not explained`);
        assert.match(help, new RegExp(`^  (-[a-z], )?--${option}\\b`, "m"));
      }
      const described = Object.keys(command.optionHelp).toSorted();
      assert.deepEqual(described, Object.keys(command.options).toSorted());
    });

    test("says with which codes it ends, among those that there are", () => {
      const known: readonly number[] = Object.values(EXIT);
      const codes = Object.keys(command.exits).map(Number);
      assert.ok(codes.includes(EXIT.ok) && codes.includes(EXIT.unusable), "0 and 2 are explained");
      for (const code of codes) assert.ok(known.includes(code), `${code} is an exit code`);
    });

    test("offers values only for options that take one", () => {
      for (const [option, offer] of Object.entries(command.offers ?? {})) {
        assert.equal(command.options[option]?.type, "string", `--${option} takes a value`);
        if ("words" in offer) assert.ok(offer.words.length > 0);
      }
    });

    test("has two examples or more, and its own options parse each", () => {
      assert.ok(command.examples.length >= 2, `${command.examples.length}`);
      for (const example of command.examples) assertParses(command, example);
    });

    test("leads on to commands that there are", () => {
      assert.ok(command.seeAlso.length >= 1);
      for (const other of command.seeAlso) assert.ok(other in COMMANDS && other !== words, other);
    });

    test("fits the screen", () => assertFits(helpOf(command)));
  });
}

test("every command stands in one group of the overview, and nothing else does", () => {
  assert.deepEqual(GROUPS.flatMap(({ commands }) => commands).toSorted(), Object.keys(COMMANDS).toSorted());
  for (const words of Object.keys(COMMANDS))
    assert.match(overview(COMMANDS), new RegExp(`^  ${words}  `, "m"));
  assertFits(overview(COMMANDS));
  assertFits(overviewOf(COMMANDS, "policy"));
});

test("the reference has every command with its whole help", () => {
  const reference = readFileSync(join(ROOT, "docs", "reference", "cli.md"), "utf8");
  for (const { words, command } of loaded) {
    assert.ok(reference.includes(`\n## seawall ${words}\n`), words);
    assert.ok(reference.includes(helpOf(command)), `the help of ${words}`);
  }
});

test("the version is the package's", () => {
  const text = readFileSync(join(ROOT, "package.json"), "utf8");
  assert.equal((JSON.parse(text) as { version: string }).version, VERSION);
});

/** The options that the usage names, by their long names. */
function optionsNamed({ usage, options }: Command): string[] {
  const named = [...usage.matchAll(/(?<![\w-])(--?)([a-z][a-z-]*)/g)].map(([, dashes, name = ""]) => {
    if (dashes === "--") return name;
    return Object.entries(options).find(([, { short }]) => short === name)?.[0] ?? `-${name}`;
  });
  return [...new Set(named)].toSorted();
}

/** An example may stand in a line of a shell: behind sudo, in a pipe, on another machine. */
function assertParses(command: Command, example: string): void {
  const words = wordsOf(example);
  const at = words.findIndex(
    (word, index) => word === "seawall" && command.path.every((own, step) => words[index + 1 + step] === own),
  );
  const asOption = words.join(" ") === `seawall --${command.path.join(" ")}`;
  if (asOption) return;
  assert.ok(at >= 0, `\`${example}\` runs the command`);
  const rest = words.slice(at + 1 + command.path.length);
  const end = rest.findIndex((word) => /^(\||<|>.*|\))$/.test(word));
  const args = end < 0 ? rest : rest.slice(0, end);
  parseArgs({ args, options: command.options, allowPositionals: true, strict: true });
}

function assertFits(text: string): void {
  for (const line of text.split("\n")) {
    assert.ok(line.length <= COLUMNS_MAX, `${line.length} columns: ${line}`);
    assert.equal(line, line.trimEnd());
  }
}
