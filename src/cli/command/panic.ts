import { readInForce } from "../../apply/in-force.ts";
import { endPanic, panic } from "../../apply/panic.ts";
import { plain } from "../../core/base/plain.ts";
import { startLoads } from "../../apply/boot.ts";
import { parsePolicy } from "../../core/policy/parse/parse.ts";
import { PRESET_NAMES } from "../../core/policy/preset/preset.ts";
import { resolvePolicy } from "../../core/policy/resolve.ts";
import { locked } from "../../edge/kernel/change-lock.ts";
import { requireNft } from "../../edge/kernel/nft.ts";
import { type Folders, foldersOf } from "../../edge/state/folder.ts";
import type { MeantPolicy } from "../../apply/panic.ts";
import { type Command, type CommandContext, NO_WORDS, SCHEMA } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { loadPolicy } from "../policy.ts";

export const command: Command = {
  path: ["panic"],
  summary: "Cut the agent off at once; SSH stays",
  about:
    "Cuts every agent off at once, connections that are open included, and stays so over reboots until `--off`. Nothing but SSH comes in meanwhile; it never cuts SSH, nor what other users of the host send.",
  usage: "seawall panic [--off] [--json]",
  words: NO_WORDS,
  who: "root-changes",
  options: { off: { type: "boolean" }, json: { type: "boolean" } },
  optionHelp: {
    off: "end the panic: what was in force before it is again",
    json: "print the result as JSON",
  },
  exits: {
    0: "cut off, or with --off: what was before is in force again",
    2: "bad usage, or the kernel refused; what was in force stays",
    5: "not root",
  },
  places: ["kernel", "history", "run", "operator"],
  examples: ["sudo seawall panic", "sudo seawall panic --off"],
  seeAlso: ["status", "pause", "rollback"],
  run: async (context) => {
    requireNft();
    const folders = foldersOf(context.env);
    const by = context.env["SUDO_USER"] ?? context.env["LOGNAME"] ?? "root";
    return locked(folders.run, () =>
      context.flags["off"] === true ? end(context, folders, by) : begin(context, folders, by),
    );
  },
};

async function begin(context: CommandContext, folders: Folders, by: string): Promise<ExitCode> {
  const done = await panic(folders, meantPolicy(context), by, context.nowMs);
  if (context.flags["json"] === true) {
    const said = done === "already" ? { already: true } : done;
    const atStart = startLoads(folders.state);
    context.out(`${JSON.stringify({ schema: SCHEMA, state: "panic", atStart, ...said })}\n`);
    return EXIT.ok;
  }
  if (done === "already") {
    context.out("a panic holds already: the agents are cut off\n");
    return EXIT.ok;
  }
  const cut =
    done.scopes.length === 0 ? "NO AGENT WAS FOUND TO CUT OFF" : `cut off: ${done.scopes.join(", ")}`;
  context.out(`${cut}; ${sshText(done.sshPorts)}; ${START[startLoads(folders.state)]}\n`);
  for (const one of done.strangers) context.err(`warning: ${one}\n`);
  if (done.noSsh !== null) context.err(`warning: ${plain(done.noSsh.said)}; try: sudo seawall panic --off\n`);
  for (const one of done.missing) context.err(`warning: not cut off, it cannot be found: ${one}\n`);
  if (done.trouble !== null) context.err(`warning: ${done.trouble}\n`);
  context.err("Next: look (seawall flows), then seawall panic --off\n");
  return EXIT.ok;
}

/** Which ports those are is what the owner has to log in by. */
function sshText(ports: readonly number[]): string {
  if (ports.length === 0) return "NOTHING comes in: somebody else listens where SSH is expected";
  return `nothing but SSH comes in (port ${ports.join(", ")})`;
}

/** By the file that the next start reads: on a full disk it is still the one of before. */
const START: Readonly<Record<ReturnType<typeof startLoads>, string>> = {
  panic: "now and after every start",
  policy: "now, BUT NOT AFTER A RESTART: the next start loads what was in force before",
  nothing: "now, BUT NOT AFTER A RESTART: the next start loads no rules",
};

async function end(context: CommandContext, folders: Folders, by: string): Promise<ExitCode> {
  const { generation, held, trouble } = await endPanic(folders, by, context.nowMs);
  if (context.flags["json"] === true) context.out(`${JSON.stringify({ schema: SCHEMA, generation })}\n`);
  else {
    context.out(
      generation === null
        ? "the panic is over: Seawall is off, as before it\n"
        : `the panic is over: the policy before it is in force again${historyText(folders)}\n`,
    );
  }
  if (held)
    context.err("warning: what is allowed only until a time goes on waiting for the clock to be set\n");
  if (trouble !== null) context.err(`warning: ${trouble}\n`);
  return EXIT.ok;
}

/** People know policies by their number in the history. */
function historyText(folders: Folders): string {
  const inForce = readInForce(folders);
  return inForce.kind === "judging" ? ` (history ${inForce.history})` : "";
}

const NOTHING_MEANT = "version: 1\nmode: enforce\ninbound: []\noutbound: []\n";

/** What the owner's file says, where nothing is in force; a file that cannot be used keeps nobody from panicking. */
function meantPolicy(context: CommandContext): MeantPolicy {
  try {
    return loadPolicy({ ...context, err: () => undefined }, undefined);
  } catch {
    const { document } = parsePolicy(NOTHING_MEANT, {
      nowMs: context.nowMs(),
      dropIns: [],
      presets: PRESET_NAMES,
    });
    if (document === null) throw new Error("the policy of a panic is not a policy");
    const { policy } = resolvePolicy(document, { fileSets: new Map() });
    return { text: NOTHING_MEANT, dropIns: [], path: "panic", policy };
  }
}
