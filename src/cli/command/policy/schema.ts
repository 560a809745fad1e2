import { policyJsonSchema } from "../../../core/policy/schema.ts";
import type { Command } from "../../command.ts";
import { EXIT } from "../../exit-code.ts";

export const command: Command = {
  path: ["policy", "schema"],
  summary: "Print the JSON Schema of policies",
  usage: "seawall policy schema",
  options: { json: { type: "boolean" } },
  optionHelp: { json: "accepted for symmetry: the schema always is JSON" },
  examples: ["seawall policy schema > policy.schema.json"],
  run: async (context) => {
    context.out(`${JSON.stringify(policyJsonSchema(), null, 2)}\n`);
    return EXIT.ok;
  },
};
