import { addWished, EDIT_HELP, EDIT_OFFERS, EDIT_OPTIONS } from "../rule-wish.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";

export const command: Command = {
  path: ["allow"],
  summary: "Add an outbound allow to the policy file",
  about:
    "Adds one allow for the agent to the policy file and shows the difference. It never changes what is in force (`seawall apply` does), and leaves every other line and comment as it is.",
  usage:
    "seawall allow NAME|ADDRESS ... --why TEXT [--port N[,N]] [--protocol udp] [--scope NAME] [--for 1h] [--policy FILE] [--dry-run]",
  words: { least: 1, most: Number.POSITIVE_INFINITY, shown: "NAME|ADDRESS ..." },
  who: "anybody",
  options: EDIT_OPTIONS,
  optionHelp: EDIT_HELP,
  exits: {
    0: "written, or shown with --dry-run",
    2: "bad usage, or the policy would be wrong; nothing was written",
    3: "the file is not there",
    5: "not root, and only root may read or write the file",
  },
  places: ["policy", "operator"],
  examples: [
    'seawall allow api.github.com --why "skills installed from GitHub"',
    'seawall allow github.com --port 22 --for 1h --why "push the release"',
  ],
  seeAlso: ["block", "approve", "apply"],
  offers: EDIT_OFFERS,
  run: (context) => {
    addWished(context, "allow");
    return Promise.resolve(EXIT.ok);
  },
};
