/** seawall(1): every command, from the commands themselves. */
import { VERSION } from "../../src/core/base/version.ts";
import type { Command } from "../../src/cli/command.ts";
import { EXIT_MEANINGS } from "../../src/cli/exit-code.ts";
import { GROUPS } from "../../src/cli/group.ts";
import { COMMANDS } from "../../src/cli/registry.ts";
import { optionRows, usageLines } from "../../src/cli/render/help.ts";
import { placeLines, PLACES, type PlaceName } from "../../src/cli/render/place.ts";
import { paragraph, section, subsection, term, title, verbatim } from "./roff.ts";

/** Returns the page. */
export async function commandPage(): Promise<string> {
  const commands = await Promise.all(
    Object.entries(COMMANDS).map(
      async ([words, { load }]) => [words, (await load()).command] as [string, Command],
    ),
  );
  const known = new Map(commands);
  return `${[
    title("SEAWALL", 1, VERSION, "User Commands"),
    section("NAME"),
    "seawall \\- who may reach your agent, and what it may reach",
    section("SYNOPSIS"),
    "\\fBseawall\\fR \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]\n.br\n\\fBseawall\\fR \\fICOMMAND\\fR \\fB\\-\\-help\\fR",
    section("DESCRIPTION"),
    paragraph(
      "Seawall is a firewall for self-hosted OpenClaw agents: one policy file, see seawall-policy(5), enforced by the kernel in `table inet seawall`, with or without a daemon. No other program's rules are changed. A change that nobody confirms from a new connection is undone by the kernel itself.",
    ),
    paragraph(
      "Data goes to standard output, all talk to standard error. In doubt: `seawall status` changes nothing, and `seawall rollback` goes back.",
    ),
    section("COMMANDS"),
    ...GROUPS.flatMap(({ title: group, commands: words }) => [
      paragraph(
        `${group.charAt(0).toUpperCase()}${group.slice(1)}: ${words.map((one) => `\`${one}\``).join(", ")}.`,
      ),
    ]),
    ...GROUPS.flatMap((group) => group.commands).flatMap((words) => {
      const command = known.get(words);
      return command === undefined ? [] : commandPart(command);
    }),
    section("EXIT STATUS"),
    ...Object.entries(EXIT_MEANINGS).map(([code, meaning]) => term(code, meaning)),
    section("FILES AND ENVIRONMENT"),
    ...placeLines(Object.keys(PLACES) as PlaceName[]).map(([name, what]) => term(name, what)),
    section("SEE ALSO"),
    "\\fBseawall\\-policy\\fR(5), \\fBnft\\fR(8)",
  ].join("\n")}\n`;
}

function commandPart(command: Command): string[] {
  return [
    subsection(`seawall ${command.path.join(" ")}`),
    paragraph(command.about),
    verbatim(usageLines(command).map((line) => line.slice("usage: ".length))),
    ...optionRows(command)
      .filter(([name]) => name !== "-h, --help")
      .map(([name, text]) => term(name, text)),
    paragraph(
      `Exit status: ${Object.entries(command.exits)
        .map(([code, meaning]) => `\`${code}\` ${meaning}`)
        .join("; ")}.`,
    ),
    verbatim(command.examples),
  ];
}
