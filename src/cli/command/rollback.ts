import { withdraw } from "../../apply/confirm.ts";
import { foldersOf } from "../../edge/state/folder.ts";
import { locked } from "../../edge/state/lock.ts";
import { type Command, SCHEMA } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { requireRoot } from "../root.ts";

export const command: Command = {
  path: ["rollback"],
  summary: "Go back to the policy before",
  usage: "seawall rollback [--json]",
  options: { json: { type: "boolean" } },
  optionHelp: { json: "print the result as JSON" },
  examples: ["seawall rollback"],
  run: async (context) => {
    requireRoot("rollback");
    const folders = foldersOf(context.env);
    const generation = await locked(folders.run, () => withdraw(folders));
    if (context.flags["json"] === true) context.out(`${JSON.stringify({ schema: SCHEMA, generation })}\n`);
    else
      context.out(
        generation === null
          ? "rolled back: Seawall is off, as before\n"
          : `rolled back to generation ${generation}\n`,
      );
    return EXIT.ok;
  },
};
