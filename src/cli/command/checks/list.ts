import { CHECKS } from "../../../core/audit/check/all.ts";
import { LAYERS } from "../../../core/audit/finding.ts";
import { SeawallError } from "../../../core/base/error.ts";
import { type Command, NO_WORDS, SCHEMA } from "../../command.ts";
import { EXIT } from "../../exit-code.ts";

export const command: Command = {
  path: ["checks", "list"],
  summary: "List every check of the audit",
  about:
    "Lists every check of the audit with its layer and severity. It never looks at the server: that is `seawall audit`.",
  usage: "seawall checks list [--layer L] [--json]",
  words: NO_WORDS,
  who: "anybody",
  options: { layer: { type: "string" }, json: { type: "boolean" } },
  optionHelp: { layer: "only this layer", json: "print them as JSON" },
  exits: { 0: "listed", 2: "bad usage" },
  places: [],
  examples: ["seawall checks list", "seawall checks list --layer docker"],
  seeAlso: ["checks show", "audit"],
  offers: { layer: { kind: "word", words: LAYERS } },
  run: async (context) => {
    const { layer } = context.flags;
    if (layer !== undefined && !LAYERS.some((name) => name === layer))
      throw new SeawallError("SEAWALL_USAGE", `there is no layer \`${String(layer)}\``, {
        help: `one of ${LAYERS.join(", ")}`,
      });
    const chosen = CHECKS.filter((check) => layer === undefined || check.layer === layer);
    if (context.flags["json"] === true) {
      const checks = chosen.map(({ judge: _judge, ...check }) => check);
      context.out(`${JSON.stringify({ schema: SCHEMA, checks })}\n`);
    } else
      for (const { id, layer: own, severity, title } of chosen)
        context.out(`${id.padEnd(8)}  ${own.padEnd(11)}  ${severity.padEnd(8)}  ${title}\n`);
    return EXIT.ok;
  },
};
