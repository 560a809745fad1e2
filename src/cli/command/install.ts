import { resolve } from "node:path";
import { cardText, installedCard } from "../../install/card.ts";
import { install, type Installed } from "../../install/install.ts";
import { BY_HAND } from "../../install/payload.ts";
import { sourceRoot } from "../../install/tree.ts";
import { type Command, type CommandContext, NO_WORDS, SCHEMA } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { plain } from "../../core/base/plain.ts";
import { VERSION } from "../../core/base/version.ts";

export const command: Command = {
  path: ["install"],
  summary: "Install Seawall on this machine: program, units, a way back",
  about:
    "Puts program, Node, units and manual where only root may write, makes the gate's user, and starts seawalld. No rule comes into force, and a file of somebody else is never replaced. An upgrade is one step, once the new program was seen to run.",
  usage: "seawall install [--root DIR] [--dry-run] [--no-start] [--json]",
  words: NO_WORDS,
  who: "root-files",
  options: {
    root: { type: "string" },
    "dry-run": { type: "boolean" },
    "no-start": { type: "boolean" },
    json: { type: "boolean" },
  },
  optionHelp: {
    root: "install below DIR, the root of a system that is not running",
    "dry-run": "say what would be written",
    "no-start": "do not start seawalld",
    json: "print the result as JSON",
  },
  exits: {
    0: "installed, or installed already",
    1: "installed, but systemd did not start it, or nft lacks something; it is said",
    2: "bad usage, or it could not be done; what was installed before is as it was",
    5: "not root",
  },
  places: ["library", "run"],
  seeAlso: ["uninstall", "init", "rescue"],
  offers: { root: { kind: "file" } },
  examples: ["sudo seawall install", "sudo seawall install --dry-run"],
  run: async (context) => {
    const isDry = context.flags["dry-run"] === true;
    const root = resolve(context.cwd, String(context.flags["root"] ?? "/"));
    const done = install({
      root,
      source: sourceRoot(),
      version: VERSION,
      isDry,
      isStarting: context.flags["no-start"] !== true,
    });
    const json = { schema: SCHEMA, version: VERSION, dryRun: isDry, root, ...done, wayBack: installedCard() };
    if (context.flags["json"] === true) context.out(`${JSON.stringify(json)}\n`);
    else if (isDry) showDry(context, done);
    else show(context, done, root);
    return done.trouble.length === 0 ? EXIT.ok : EXIT.findings;
  },
};

function showDry(context: CommandContext, { written, removed }: Installed): void {
  for (const path of written) context.out(`${plain(`write   ${path}`)}\n`);
  for (const path of removed) context.out(`${plain(`remove  ${path}`)}\n`);
  if (written.length + removed.length === 0) context.out("nothing to do: everything is as it should be\n");
}

function show(context: CommandContext, done: Installed, root: string): void {
  context.out(`${headline(done)}\n`);
  for (const path of done.overwritten)
    context.out(`${plain(`  ${path} had been changed; it is ours again`)}\n`);
  for (const one of done.trouble) context.err(`${plain(`warning: ${one}`)}\n`);
  if (done.daemon === "by-hand") {
    context.out("\nThere is no systemd here. At every boot, before the network, and then beside it:\n");
    for (const line of BY_HAND) context.out(`  ${line}\n`);
  }
  context.out(`\n${cardText(installedCard())}`);
  if (root === "/" && done.previous === null) context.out("\nNext: sudo seawall init\n");
}

function headline({ previous, written, daemon }: Installed): string {
  const running = daemon === "started" ? "; seawalld runs" : "";
  if (previous === null)
    return `Seawall ${VERSION} is installed${running}; no rule is in force that was not before`;
  if (written.length === 0)
    return `Seawall ${VERSION} was installed already, and is as it should be${running}`;
  return previous === VERSION
    ? `Seawall ${VERSION} is installed again: ${written.length} files were written${running}`
    : `Seawall ${VERSION} takes the place of ${previous}${running}; the rules in the kernel were not touched`;
}
