/** What bash, zsh and fish offer: the real shells, with the scripts of share/completions. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { SHELLS } from "../../../src/cli/completion/shell.ts";
import { branchesOf, completedCommands } from "../../../src/cli/completion/tree.ts";
import { COMMANDS } from "../../../src/cli/registry.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { completionsOf } from "./typed-line.ts";

const commands = await completedCommands(COMMANDS);
const optionsOf = (words: string): string[] =>
  commands.find((command) => command.words === words)?.options.map(({ long }) => long) ?? [];
const firstWords = branchesOf(commands)[0]?.next.map(({ word }) => word) ?? [];

const ROWS: readonly (readonly [string, string, readonly string[]])[] = [
  ["every command", "seawall ", firstWords],
  ["the commands that begin so", "seawall expl", ["explain"]],
  ["what stands below a word", "seawall policy ", [...below("policy")]],
  ["what stands below a command", "seawall audit h", ["history"]],
  ["the options of a command", "seawall apply --", optionsOf("apply")],
  ["the options of a command of two words", "seawall policy check --", optionsOf("policy check")],
  ["an option after another with its value", "seawall flows --since 1h --verd", ["--verdict"]],
  ["the words of a value", "seawall flows --verdict ", ["accept", "refuse", "drop"]],
  ["the words of a value behind =", "seawall apply --accept-risk=l", ["--accept-risk=lose-ssh"]],
  ["the words of a short option", "seawall audit -o s", ["sarif"]],
  ["the views of the audit", "seawall audit --view ", ["checklist", "never", "layers", "network"]],
  ["the next word of a list", "seawall audit --layer ssh,f", ["ssh,fail2ban", "ssh,firewall"]],
  ["the ids of checks", "seawall checks show FW-00", idsLike("checks show", "FW-00")],
  ["a policy file", "seawall policy check my", ["my-policy.yaml"]],
  ["a policy file of an option", "seawall explain --policy my", ["my-policy.yaml"]],
  ["a folder on the way to one", "seawall apply pla", ["places"]],
  ["the shells", "seawall completion ", SHELLS],
  ["nothing where the value is the owner's own", "seawall allow --why re", []],
  ["nothing that no command has", "seawall status --frob", []],
];

for (const shell of SHELLS) {
  for (const [what, line, expected] of ROWS) {
    test(`${shell} offers ${what}: ${line}`, async (context) => {
      const folder = temporaryDirectory(context);
      writeFileSync(join(folder, "my-policy.yaml"), "version: 1\n");
      mkdirSync(join(folder, "places"));
      const offered = await completionsOf(shell, line, folder);
      // fish puts the slash of a folder there, the others once it is the only match.
      const names = offered.map((word) => word.replace(/\/$/, ""));
      assert.deepEqual(names.toSorted(), [...expected].toSorted());
    });
  }
}

for (const { words, options } of commands) {
  test(`the options of \`${words}\` are those that it has`, async (context) => {
    const offered = await completionsOf("fish", `seawall ${words} --`, temporaryDirectory(context));
    assert.deepEqual(offered.toSorted(), options.map(({ long }) => long).toSorted());
  });
}

function below(noun: string): string[] {
  return commands.flatMap(({ words }) => (words.startsWith(`${noun} `) ? words.slice(noun.length + 1) : []));
}

function idsLike(words: string, start: string): string[] {
  const argument = commands.find((command) => command.words === words)?.argument;
  if (argument?.kind !== "word") return [];
  return argument.words.filter((id) => id.startsWith(start));
}
