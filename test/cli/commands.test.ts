import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parseArgs } from "node:util";
import { helpOf } from "../../src/cli/render/help.ts";
import { COMMANDS } from "../../src/cli/registry.ts";
import { VERSION } from "../../src/cli/version.ts";

describe("every command", () => {
  for (const [words, entry] of Object.entries(COMMANDS)) {
    test(`${words} is worth its help`, async () => {
      const { command } = await entry.load();
      assert.equal(command.path.join(" "), words);
      assert.equal(command.summary, entry.summary);
      assert.match(command.summary, /^[A-Z].*[^.]$/);
      assert.ok(command.usage.startsWith(`seawall ${words}`), command.usage);
      assert.ok(command.examples.length >= 1);
      for (const option of Object.keys(command.options)) {
        assert.ok((command.optionHelp[option] ?? "").length > 5, `--${option} is not explained`);
        assert.ok(helpOf(command).includes(`--${option}`));
      }
      for (const line of helpOf(command).split("\n")) assert.ok(line.length <= 130, line);
    });

    test(`the examples of ${words} parse`, async () => {
      const { command } = await entry.load();
      const own = command.examples.filter((example) => example.startsWith(`seawall ${words}`));
      for (const example of own) {
        const [first = ""] = example.split("|");
        const args = first
          .trim()
          .split(/\s+/)
          .slice(1 + command.path.length);
        parseArgs({ args, options: command.options, allowPositionals: true, strict: true });
      }
    });
  }
});

test("the version is the package's", () => {
  const text = readFileSync(join(import.meta.dirname, "..", "..", "package.json"), "utf8");
  assert.equal((JSON.parse(text) as { version: string }).version, VERSION);
});
