import { addWished, EDIT_HELP, EDIT_OFFERS, EDIT_OPTIONS } from "../rule-wish.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";

export const command: Command = {
  path: ["block"],
  summary: "Add an outbound deny to the policy file",
  about:
    "Adds one deny for the agent to the policy file and shows the difference; a deny always wins over an allow. It never changes what is in force (`seawall apply` does), and leaves every other line as it is.",
  usage:
    "seawall block NAME|ADDRESS ... --why TEXT [--port N[,N]] [--protocol udp] [--scope NAME] [--for 1h] [--policy FILE] [--dry-run]",
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
    'seawall block paste.example.net --why "data left by this site before"',
    'seawall block 198.51.100.0/24 --for 7d --why "scanned us this week" --dry-run',
  ],
  seeAlso: ["allow", "apply"],
  offers: EDIT_OFFERS,
  run: (context) => {
    addWished(context, "deny");
    return Promise.resolve(EXIT.ok);
  },
};
