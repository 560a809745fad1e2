import { prove } from "../../prove/prove.ts";
import { foldersOf } from "../../edge/state/folder.ts";
import { type Command, NO_WORDS, SCHEMA } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { proofScreen } from "../render/prove.ts";

export const command: Command = {
  path: ["prove"],
  summary: "Try the known ways around the policy, from the agent's own place",
  about:
    "Tries every known way around the policy in force, from the agent's own place, and says which are held. It never leaves anything behind, and never skips in silence: what is not held is NOT HELD.",
  usage: "seawall prove [--scope NAME] [--verbose] [--json]",
  words: NO_WORDS,
  who: "root-tries",
  options: { scope: { type: "string" }, verbose: { type: "boolean" }, json: { type: "boolean" } },
  optionHelp: {
    scope: "only this scope (default: every one)",
    verbose: "with what came back, and what would hold it, in every row",
    json: "print one JSON object",
  },
  exits: {
    0: "nothing broke what the policy says",
    1: "something did",
    2: "bad usage, or nothing is in force",
    3: "there is no such scope",
    5: "not root",
  },
  places: ["kernel", "history", "run", "accounts", "color"],
  examples: ["sudo seawall prove", "sudo seawall prove --scope agent --json"],
  seeAlso: ["probe", "status", "flows"],
  offers: { scope: { kind: "word", words: ["agent"] } },
  onlyLooks: true,
  run: async (context) => {
    const { scope } = context.flags;
    const proof = await prove({
      folders: foldersOf(context.env),
      scope: typeof scope === "string" ? scope : undefined,
      nowMs: context.nowMs,
    });
    if (context.flags["json"] === true) context.out(`${JSON.stringify({ schema: SCHEMA, ...proof })}\n`);
    else context.out(proofScreen(proof, context.color, context.flags["verbose"] === true));
    return proof.summary.broken === 0 ? EXIT.ok : EXIT.findings;
  },
};
