import { addWished, EDIT_HELP, EDIT_OPTIONS } from "../rule-wish.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";

export const command: Command = {
  path: ["allow"],
  summary: "Add an outbound allow to the policy file",
  usage:
    "seawall allow NAME|ADDRESS ... --why TEXT [--port N[,N]] [--protocol udp] [--scope NAME] [--for 1h]",
  options: EDIT_OPTIONS,
  optionHelp: EDIT_HELP,
  examples: [
    'seawall allow api.github.com --why "skills installed from GitHub"',
    'seawall allow github.com --port 22 --for 1h --why "push the release"',
  ],
  run: (context) => {
    addWished(context, "allow");
    return Promise.resolve(EXIT.ok);
  },
};
