import { resolve } from "node:path";
import { followKernel } from "../../apply/gate.ts";
import { takeDown } from "../../apply/settle.ts";
import { SeawallError } from "../../core/base/error.ts";
import { findProgram } from "../../edge/host/command.ts";
import { locked } from "../../edge/kernel/change-lock.ts";
import { readLive } from "../../edge/kernel/live.ts";
import { readInitRecord } from "../../edge/openclaw/init-record.ts";
import { type Folders, foldersOf } from "../../edge/state/folder.ts";
import { uninstall, type Uninstalled } from "../../install/uninstall.ts";
import { type Command, type CommandContext, NO_WORDS, SCHEMA } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { plain } from "../../core/base/plain.ts";

export const command: Command = {
  path: ["uninstall"],
  summary: "Remove what install made, and the rules",
  about:
    "Takes the rules out of the kernel, ends seawalld and its gate, and removes exactly what install made; never a file that was changed since, which it names. Policy, history and log stay unless --purge takes them, too.",
  usage: "seawall uninstall [--purge --yes] [--root DIR] [--json]",
  words: NO_WORDS,
  who: "root-files",
  options: {
    purge: { type: "boolean" },
    yes: { type: "boolean" },
    root: { type: "string" },
    json: { type: "boolean" },
  },
  optionHelp: {
    purge:
      "also delete the policy (/etc/seawall), the history and the log (/var/lib/seawall), and the gate's user",
    yes: "the word that --purge asks for",
    root: "uninstall below DIR, the root of a system that is not running",
    json: "print the result as JSON",
  },
  exits: {
    0: "uninstalled",
    1: "uninstalled, but something was left or did not end; it is named",
    2: "bad usage, or it could not be done",
    3: "install has installed nothing here",
    5: "not root",
  },
  places: ["library", "policy", "history", "events", "run", "kernel"],
  seeAlso: ["install", "down", "backup"],
  offers: { root: { kind: "file" } },
  examples: ["sudo seawall uninstall", "sudo seawall uninstall --purge --yes"],
  run: async (context) => {
    const isPurging = context.flags["purge"] === true;
    if (isPurging && context.flags["yes"] !== true) throw unasked();
    const folders = foldersOf(context.env);
    refuseProxy(folders.state);
    const root = resolve(context.cwd, String(context.flags["root"] ?? "/"));
    const done = await uninstall({ root, isPurging, takeDown: () => offTheKernel(folders, context) });
    if (context.flags["json"] === true) context.out(`${JSON.stringify({ schema: SCHEMA, ...done })}\n`);
    else show(context, done, isPurging);
    return done.left.length + done.trouble.length === 0 ? EXIT.ok : EXIT.findings;
  },
};

function unasked(): SeawallError {
  return new SeawallError("SEAWALL_USAGE", "--purge deletes the policy, the history and the log", {
    still: "nothing was changed",
    help: "seawall uninstall --purge --yes, or without --purge to keep them",
  });
}

/** OpenClaw would go on asking a proxy that is gone. */
function refuseProxy(state: string): void {
  const [proxy] = readInitRecord(state).proxies;
  if (proxy === undefined) return;
  throw new SeawallError(
    "SEAWALL_INSTALL",
    `OpenClaw (\`${proxy.configPath}\`) goes out by Seawall's proxy`,
    {
      still: "nothing was changed",
      help: "seawall init --undo, then this again",
    },
  );
}

/** While seawalld still runs: it ends its gate when nothing is in force. */
async function offTheKernel(folders: Folders, context: CommandContext): Promise<void> {
  // Without nft no table of ours can be there that somebody could have loaded.
  if (findProgram("nft") === undefined) return;
  await locked(folders.run, async () => {
    if (readLive() === null) return;
    const trouble = takeDown(folders);
    await followKernel(folders.run);
    if (trouble !== null) context.err(`warning: ${trouble}\n`);
  });
}

function show(context: CommandContext, { version, left, trouble }: Uninstalled, isPurging: boolean): void {
  for (const one of trouble) context.err(`${plain(`warning: ${one}`)}\n`);
  for (const path of left) context.out(`${plain(`left, because it was changed: ${path}`)}\n`);
  context.out(`Seawall ${version} is uninstalled; nothing of it is in the kernel\n`);
  if (!isPurging) context.out("kept: /etc/seawall and /var/lib/seawall\n");
}
