import { VIEWS } from "../../../core/audit/view.ts";
import { type Command, SCHEMA } from "../../command.ts";
import { EXIT } from "../../exit-code.ts";
import { CHECK_OFFER, checkArgument } from "../audit/write-word.ts";

export const command: Command = {
  path: ["checks", "show"],
  summary: "Explain one check: what it looks at, why, and what helps",
  about:
    "Says what a check looks at, why it matters and what helps. It never looks at the server: that is `seawall audit --check`.",
  usage: "seawall checks show CHECK [--json]",
  words: { least: 1, most: 1, shown: "CHECK" },
  who: "anybody",
  options: { json: { type: "boolean" } },
  optionHelp: { json: "print it as JSON" },
  exits: { 0: "shown", 2: "bad usage", 3: "there is no such check" },
  places: [],
  examples: ["seawall checks show SSH-002", "seawall checks show SSH-002 --json"],
  seeAlso: ["checks list", "audit"],
  argument: CHECK_OFFER,
  run: async (context) => {
    const { id, layer, severity, title, why, fix, looksAt } = checkArgument(context);
    const views = VIEWS.filter(({ items }) => items.some(({ checks }) => checks.includes(id))).map(
      ({ name }) => name,
    );
    if (context.flags["json"] === true) {
      context.out(
        `${JSON.stringify({ schema: SCHEMA, id, layer, severity, title, why, fix, looksAt, views })}\n`,
      );
      return EXIT.ok;
    }
    const lines = [
      `${id}  ${title}`,
      "",
      `layer     ${layer}`,
      `severity  ${severity}`,
      `why       ${why}`,
      `looks at  ${looksAt}`,
      `fix       ${fix}`,
      ...(views.length === 0 ? [] : [`views     ${views.join(", ")}`]),
      `Next: seawall audit --check ${id}`,
    ];
    context.out(`${lines.join("\n")}\n`);
    return EXIT.ok;
  },
};
