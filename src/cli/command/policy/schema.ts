import { policyJsonSchema } from "../../../core/policy/schema.ts";
import { type Command, NO_WORDS } from "../../command.ts";
import { EXIT } from "../../exit-code.ts";

export const command: Command = {
  path: ["policy", "schema"],
  summary: "Print the JSON Schema of policies",
  about: "Prints the JSON Schema that editors check policy files with. It never reads a policy.",
  usage: "seawall policy schema [--json]",
  words: NO_WORDS,
  who: "anybody",
  options: { json: { type: "boolean" } },
  optionHelp: { json: "accepted for symmetry: the schema always is JSON" },
  exits: { 0: "printed", 2: "bad usage" },
  places: [],
  examples: ["seawall policy schema >policy.schema.json", "seawall policy schema --json"],
  seeAlso: ["policy check"],
  run: async (context) => {
    context.out(`${JSON.stringify(policyJsonSchema(), null, 2)}\n`);
    return EXIT.ok;
  },
};
