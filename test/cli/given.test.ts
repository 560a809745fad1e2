/** Every command takes the words that it knows, and says of every other what was probably meant. */
import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { describe, test } from "node:test";
import type { Command } from "../../src/cli/command.ts";
import { readGiven } from "../../src/cli/given.ts";
import { synonyms } from "../../src/cli/meant.ts";
import { COMMANDS } from "../../src/cli/registry.ts";
import { SeawallError } from "../../src/core/base/error.ts";
import { run } from "../support/checkout.ts";

const loaded = await Promise.all(
  Object.entries(COMMANDS).map(async ([words, { load }]) => ({ words, command: (await load()).command })),
);

async function refusalOf(command: Command, argv: readonly string[]): Promise<SeawallError | null> {
  try {
    await readGiven(command, argv);
    return null;
  } catch (cause) {
    assert.ok(cause instanceof SeawallError);
    return cause;
  }
}

for (const { words, command } of loaded) {
  describe(`seawall ${words}`, () => {
    const { least, most, shown } = command.words;
    const enough = Array.from({ length: Math.min(most, 3) }, (_, at) => `word${at}`);

    test("says in its usage which words it takes", () => {
      assert.ok(least <= most && (most === 0) === (shown === ""));
      const [first = ""] = command.usage.split("\n");
      if (most === 0) assert.doesNotMatch(first.replaceAll(/\[?--?[^\]]*\]?/g, ""), /[A-Z]{2}/);
      else for (const one of shown.match(/[A-Z]{2,}/g) ?? []) assert.match(command.usage, new RegExp(one));
    });

    test("takes as many words as it says", async () => {
      assert.equal(await refusalOf(command, enough), null);
    });

    const isLimited = Number.isFinite(most);
    test(isLimited ? "refuses one word more" : "takes any number of words", async () => {
      if (!isLimited)
        return assert.equal(
          await refusalOf(
            command,
            Array.from({ length: 99 }, () => "word"),
          ),
          null,
        );
      for (const argv of [
        [...enough, "qqqqqqqqq"],
        ["--", ...enough, "qqqqqqqqq"],
      ]) {
        const refusal = await refusalOf(command, argv);
        assert.deepEqual([refusal?.code, refusal?.still], ["SEAWALL_USAGE", "nothing was done"]);
        assert.match(refusal?.message ?? "", /`qqqqqqqqq` is one too many$/);
        assert.equal(refusal?.help, `seawall ${words} --help`);
      }
    });

    test("refuses an empty word", async () => {
      assert.match((await refusalOf(command, [""]))?.message ?? "", /^an empty word stands behind/);
      assert.match((await refusalOf(command, [...enough.slice(1), ""]))?.message ?? "", /^an empty word/);
    });

    test("refuses an option given twice, without its value, or with one that it does not take", async () => {
      for (const [name, { type }] of Object.entries(command.options)) {
        const once = type === "string" ? [`--${name}`, "x"] : [`--${name}`];
        assert.equal(await refusalOf(command, once), null, name);
        assert.match((await refusalOf(command, [...once, ...once]))?.message ?? "", /is given twice/);
        const wrong = type === "string" ? [`--${name}=`] : [`--${name}=foo`];
        assert.equal((await refusalOf(command, wrong))?.code, "SEAWALL_USAGE", wrong.join(" "));
      }
    });
  });
}

const main = (line: readonly string[]) =>
  run(process.execPath, [join(import.meta.dirname, "..", "..", "src", "cli", "main.ts"), ...line], {
    cwd: "/",
    env: process.env,
    input: "",
  });

for (const [line, said, cure] of [
  [
    ["panic", "off"],
    "`seawall panic` takes no words, and `off` is one too many; did you mean `--off`?",
    "sudo seawall panic --off",
  ],
  [["panic", "now"], "`seawall panic` takes no words, and `now` is one too many", "seawall panic --help"],
  [
    ["panic", "--", "--off"],
    "`seawall panic` takes no words, and `--off` is one too many; did you mean `--off`?",
    "sudo seawall panic --off",
  ],
  [
    ["pause", "10m"],
    "`seawall pause` takes no words, and `10m` is one too many; did you mean `--for 10m`?",
    "sudo seawall pause --for 10m",
  ],
  [
    ["pause", "for", "10m"],
    "`seawall pause` takes no words, and `for` is one too many; did you mean `--for 10m`?",
    "sudo seawall pause --for 10m",
  ],
  [["down", "foo"], "`seawall down` takes no words, and `foo` is one too many", "seawall down --help"],
  [["confirm", "9"], "`seawall confirm` takes no words, and `9` is one too many", "seawall confirm --help"],
  [["status", "foo"], "`seawall status` takes no words, and `foo` is one too many", "seawall status --help"],
  [
    ["flows", "pastebin.com"],
    "`seawall flows` takes no words, and `pastebin.com` is one too many",
    "seawall flows --help",
  ],
  [
    ["flows", "inbound"],
    "`seawall flows` takes no words, and `inbound` is one too many; did you mean `--direction inbound`?",
    "sudo seawall flows --direction inbound",
  ],
  [
    ["flows", "20"],
    "`seawall flows` takes no words, and `20` is one too many; did you mean `--limit 20`?",
    "sudo seawall flows --limit 20",
  ],
  [
    ["flows", "sw-c9xn9ebqfe"],
    "`seawall flows` takes no words, and `sw-c9xn9ebqfe` is one too many; did you mean `seawall explain sw-c9xn9ebqfe`?",
    "sudo seawall explain sw-c9xn9ebqfe",
  ],
  [
    ["prove", "agent"],
    "`seawall prove` takes no words, and `agent` is one too many; did you mean `--scope agent`?",
    "sudo seawall prove --scope agent",
  ],
  [
    ["audit", "ssh"],
    "`seawall audit` takes no words, and `ssh` is one too many; did you mean `--layer ssh`?",
    "seawall audit --layer ssh",
  ],
  [["init", "foo"], "`seawall init` takes no words, and `foo` is one too many", "seawall init --help"],
  [["rescue", "foo"], "`seawall rescue` takes no words, and `foo` is one too many", "seawall rescue --help"],
  [
    ["apply", "a.yaml", "b.yaml", "--dry-run"],
    "`seawall apply` takes [FILE] and nothing more, and `b.yaml` is one too many",
    "seawall apply --help",
  ],
  [
    ["policy", "check", "a.yaml", "foo"],
    "`seawall policy check` takes [FILE] and nothing more, and `foo` is one too many",
    "seawall policy check --help",
  ],
  [
    ["flows", "--since", "1h", "--since", "2h"],
    "`--since` is given twice, and holds once",
    "seawall flows --help",
  ],
  [["status", "--json=foo"], "option '--json' does not take an argument", "seawall status --help"],
  [
    ["status", "--json", ""],
    "an empty word stands behind `seawall status`: is a variable of the shell unset?",
    "seawall status --help",
  ],
  [["apply", "--confirm-within", ""], "`--confirm-within` is given no value", "seawall apply --help"],
  [
    ["--json", "status"],
    "`--json` stands before a command; options stand behind it",
    "seawall status --json",
  ],
  [["enable"], "there is no command `enable`: here it is `seawall apply`", "seawall apply --help"],
  [
    ["enforce"],
    "there is no command `enforce`: set `mode: enforce` in the policy file, then `seawall apply`",
    "seawall apply --help",
  ],
  [["logs", "-f"], "there is no command `logs`: here it is `seawall flows`", "seawall flows --help"],
  [
    ["deny", "pastebin.com"],
    "there is no command `deny`: here it is `seawall block`",
    "seawall block --help",
  ],
  [["unpanic"], "there is no command `unpanic`: here it is `seawall panic --off`", "seawall panic --help"],
] as const) {
  test(`seawall ${line.join(" ")} is refused before anything is done`, async () => {
    const { code, out, err } = await main(line);
    assert.deepEqual(
      [code, out, err.split("\n").slice(0, 3)],
      [2, "", [`error: ${said}`, "still true: nothing was done", `try: ${cure}`]],
    );
  });
}

for (const option of ["-V", "-v", "--version"]) {
  test(`seawall ${option} says the version`, async () => {
    const { code, out } = await main([option]);
    assert.deepEqual([code, out.split(" ")[0]], [0, "seawall"]);
  });
}

test("every word of another tool leads to a command that there is, with options that it has", async () => {
  assert.ok(synonyms().length >= 15);
  for (const [word, { say }] of synonyms()) {
    const [words = "", ...options] = say.split(" --");
    const command = await COMMANDS[words]?.load();
    assert.ok(command !== undefined, `${word}: ${say}`);
    for (const option of options) assert.ok(option in command.command.options, say);
    assert.ok(!(word in COMMANDS) || word === words, word);
  }
});
