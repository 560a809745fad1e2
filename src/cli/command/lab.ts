import process from "node:process";
import { watchNpm } from "../../lab/caller.ts";
import { moduleFile } from "../../lab/place.ts";
import { enterLines, lineOf, summaryLine } from "../../lab/render.ts";
import type { Row } from "../../lab/row.ts";
import { runLab } from "../../lab/run.ts";
import { type Command, type CommandContext, NO_WORDS, SCHEMA } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";

export const command: Command = {
  path: ["lab"],
  summary: "Show the whole thing in a throw-away world",
  about:
    "Builds a throw-away world on the real kernel, enforces a policy in it and shows claim by claim what was seen on the wire. It never touches this machine's own network, and leaves nothing behind.",
  usage: "seawall lab [--json] [--keep] [--openclaw]",
  words: NO_WORDS,
  who: "anybody",
  options: { json: { type: "boolean" }, keep: { type: "boolean" }, openclaw: { type: "boolean" } },
  optionHelp: {
    json: "print one JSON object and nothing else",
    keep: "leave the world up until Ctrl-C, and say how to enter it",
    openclaw: "use the real OpenClaw gateway as the agent (650 MB from the npm registry, once)",
  },
  exits: { 0: "every claim held", 1: "a claim did not hold", 2: "bad usage, or stopped", 5: "not root" },
  places: ["color"],
  examples: [
    "sudo seawall lab",
    "sudo seawall lab --json",
    "sudo seawall lab --keep",
    "sudo seawall lab --openclaw",
  ],
  seeAlso: ["prove", "init"],
  run: async (context) => {
    const asJson = context.flags["json"] === true;
    const keep = context.flags["keep"] === true;
    const abort = new AbortController();
    const unwatch = watchNpm(process.ppid, () => abort.abort());
    const begunMs = context.nowMs();
    const rows: Row[] = [];
    let told = false;
    const tellAll = (): void => {
      told = true;
      tellEnd(context, rows, begunMs);
    };
    const result = await runLab({
      keep,
      ...(context.flags["openclaw"] === true && { openclaw: (line) => context.err(`${line}\n`) }),
      signal: AbortSignal.any([context.signal, abort.signal]),
      onMessage: (message) => {
        if (message.kind === "row") rows.push(message.row);
        if (!asJson) context.out(lineOf(message, context.color));
        else if (message.kind === "note") context.err(`${message.text}\n`);
      },
      onKept: (processes) => {
        tellAll();
        context.err(enterLines(processes, `${process.execPath} ${moduleFile("../cli/main")}`));
      },
    });
    unwatch();
    if (!result.complete) {
      context.err("stopped; nothing is left of the lab\n");
      return EXIT.unusable;
    }
    if (!told) tellAll();
    return exitOf(rows);
  },
};

function tellEnd(context: CommandContext, rows: readonly Row[], begunMs: number): void {
  const held = rows.filter((row) => row.held).length;
  const broken = rows.length - held;
  const seconds = Math.round((context.nowMs() - begunMs) / 100) / 10;
  if (context.flags["json"] === true) {
    context.out(`${JSON.stringify({ schema: SCHEMA, rows, summary: { held, broken, seconds } })}\n`);
    return;
  }
  const kept = context.flags["keep"] === true;
  context.out(summaryLine({ held, broken, seconds, kept }, context.color));
  if (kept) return;
  context.out(
    "Next: once more with --keep to look around in it, or `seawall audit` to look at this machine\n",
  );
}

function exitOf(rows: readonly Row[]): ExitCode {
  return rows.length > 0 && rows.every((row) => row.held) ? EXIT.ok : EXIT.findings;
}
