import { addWished, EDIT_HELP, EDIT_OPTIONS } from "../rule-wish.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";

export const command: Command = {
  path: ["block"],
  summary: "Add an outbound deny to the policy file",
  usage:
    "seawall block NAME|ADDRESS ... --why TEXT [--port N[,N]] [--protocol udp] [--scope NAME] [--for 1h]",
  options: EDIT_OPTIONS,
  optionHelp: EDIT_HELP,
  examples: ['seawall block paste.example.net --why "data left by this site before"'],
  run: (context) => {
    addWished(context, "deny");
    return Promise.resolve(EXIT.ok);
  },
};
