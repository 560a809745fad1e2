import type { Command, Commands } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { commandsBelow, helpOf, overview, overviewOf } from "../render/help.ts";
import { unknownCommand } from "../unknown.ts";

/** The command, among all of them. */
export function commandAmong(all: Commands): { readonly command: Command } {
  return {
    command: {
      path: ["help"],
      summary: "Explain a command",
      about:
        "Prints what a command does, its options, exit codes and examples; without words, all commands by what you want. It never runs the command.",
      usage: "seawall help [COMMAND ...]",
      words: { least: 0, most: Number.POSITIVE_INFINITY, shown: "[COMMAND ...]" },
      who: "anybody",
      options: {},
      optionHelp: {},
      exits: { 0: "explained", 2: "there is no such command" },
      places: [],
      examples: ["seawall help", "seawall help policy check"],
      seeAlso: ["version", "status"],
      argument: { kind: "command" },
      run: async ({ positionals, out }) => {
        const words = positionals.join(" ");
        const entry = Object.hasOwn(all, words) ? all[words] : undefined;
        if (words === "") out(overview(all));
        else if (entry !== undefined) out(helpOf((await entry.load()).command));
        else if (commandsBelow(all, words).length > 0) out(overviewOf(all, words));
        else throw unknownCommand(all, positionals);
        return EXIT.ok;
      },
    },
  };
}
