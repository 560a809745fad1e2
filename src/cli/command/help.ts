import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { COMMANDS } from "../registry.ts";
import { commandsBelow, helpOf, overview, overviewOf } from "../render/help.ts";
import { unknownCommand } from "../unknown.ts";

export const command: Command = {
  path: ["help"],
  summary: "Explain a command",
  about:
    "Prints what a command does, its options, exit codes and examples; without words, all commands by what you want. It never runs the command.",
  usage: "seawall help [COMMAND ...]",
  options: {},
  optionHelp: {},
  exits: { 0: "explained", 2: "there is no such command" },
  places: [],
  examples: ["seawall help", "seawall help policy check"],
  seeAlso: ["version", "status"],
  argument: {
    kind: "word",
    words: [...new Set(Object.keys(COMMANDS).map((words) => words.split(" ")[0] ?? ""))],
  },
  run: async ({ positionals, out }) => {
    const words = positionals.join(" ");
    const entry = Object.hasOwn(COMMANDS, words) ? COMMANDS[words] : undefined;
    if (words === "") out(overview());
    else if (entry !== undefined) out(helpOf((await entry.load()).command));
    else if (commandsBelow(words).length > 0) out(overviewOf(words));
    else throw unknownCommand(positionals);
    return EXIT.ok;
  },
};
