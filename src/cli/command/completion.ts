import { SeawallError } from "../../core/base/error.ts";
import type { Command, Commands } from "../command.ts";
import { SHELLS } from "../completion/shell.ts";
import { EXIT } from "../exit-code.ts";

/** The command, among all of them. */
export function commandAmong(all: Commands): { readonly command: Command } {
  return {
    command: {
      path: ["completion"],
      summary: "Print the completion script of a shell",
      about:
        "Prints a script that completes commands, options and their values in bash, zsh or fish. It never writes to your shell's files: put the line of the example there yourself.",
      usage: `seawall completion ${SHELLS.join("|")}`,
      words: { least: 1, most: 1, shown: "bash|zsh|fish" },
      who: "anybody",
      options: {},
      optionHelp: {},
      exits: { 0: "printed", 2: "bad usage, or no such shell" },
      places: [],
      examples: [
        "source <(seawall completion bash)",
        "source <(seawall completion zsh)",
        "seawall completion fish | source",
      ],
      seeAlso: ["help", "version"],
      argument: { kind: "word", words: SHELLS },
      isDocument: true,
      run: async ({ positionals, out }) => {
        const shell = SHELLS.find((name) => name === positionals[0]);
        if (shell === undefined || positionals.length > 1)
          throw new SeawallError("SEAWALL_USAGE", `say for which shell: ${SHELLS.join(", ")}`, {
            help: "seawall completion bash",
          });
        const { completionScript } = await import("../completion/script.ts");
        out(await completionScript(all, shell));
        return EXIT.ok;
      },
    },
  };
}
