import type { Commands } from "../command.ts";
import { unreachable } from "../../core/base/assert.ts";
import { bashCompletion } from "./bash.ts";
import { fishCompletion } from "./fish.ts";
import type { Shell } from "./shell.ts";
import { completedCommands } from "./tree.ts";
import { zshCompletion } from "./zsh.ts";

/** Returns the completion script of a shell. */
export async function completionScript(all: Commands, shell: Shell): Promise<string> {
  const commands = await completedCommands(all);
  switch (shell) {
    case "bash":
      return bashCompletion(commands);
    case "zsh":
      return zshCompletion(commands);
    case "fish":
      return fishCompletion(commands);
    default:
      return unreachable(shell);
  }
}
