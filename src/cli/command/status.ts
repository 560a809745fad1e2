import { readStatus } from "../../apply/status.ts";
import { foldersOf } from "../../edge/state/folder.ts";
import { type Command, NO_WORDS, SCHEMA } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { statusScreen } from "../render/status/screen.ts";

export const command: Command = {
  path: ["status"],
  summary: "Show what is in force",
  about:
    "Asks the kernel what is in force and says whether the agent is contained. It changes nothing, and never takes a file's word for what the kernel holds.",
  usage: "seawall status [--json]",
  words: NO_WORDS,
  who: "root-sees",
  options: { json: { type: "boolean" } },
  optionHelp: { json: "print the status as JSON" },
  exits: {
    0: "shown, whatever the state is",
    2: "bad usage, or the kernel could not be asked",
    5: "not root",
  },
  places: ["kernel", "history", "run"],
  examples: ["sudo seawall status", "sudo seawall status --json"],
  seeAlso: ["flows", "apply", "history"],
  run: async (context) => {
    const status = readStatus(foldersOf(context.env), context.nowMs());
    if (context.flags["json"] === true) context.out(`${JSON.stringify({ schema: SCHEMA, ...status })}\n`);
    else context.out(statusScreen(status));
    return EXIT.ok;
  },
};
