import { VIEWS } from "../../../core/audit/view.ts";
import { type Command, SCHEMA } from "../../command.ts";
import { EXIT } from "../../exit-code.ts";
import { checkArgument } from "../audit/write-word.ts";

export const command: Command = {
  path: ["checks", "show"],
  summary: "Explain one check: what it looks at, why, and what helps",
  usage: "seawall checks show CHECK [--json]",
  options: { json: { type: "boolean" } },
  optionHelp: { json: "print it as JSON" },
  examples: ["seawall checks show SSH-002"],
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
