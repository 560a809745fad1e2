import { startLoads } from "../../apply/boot.ts";
import { refusePanic } from "../../apply/panic.ts";
import { takeDown } from "../../apply/settle.ts";
import { readLive } from "../../edge/kernel/live.ts";
import { requireNft } from "../../edge/kernel/nft.ts";
import { followKernel } from "../../apply/gate.ts";
import { foldersOf } from "../../edge/state/folder.ts";
import { locked } from "../../edge/kernel/change-lock.ts";
import { type Command, type CommandContext, NO_WORDS } from "../command.ts";
import { EXIT } from "../exit-code.ts";

const QUESTION = "Take everything of Seawall out of the kernel? Nothing is protected by it afterwards.";

export const command: Command = {
  path: ["down"],
  summary: "Take everything of Seawall out of the kernel",
  about:
    "Takes everything of Seawall out of the kernel, at once and without a lease: nothing is protected by it afterwards. It never touches other tables, and keeps policy, history and log.",
  usage: "seawall down [--yes]",
  words: NO_WORDS,
  who: "root-changes",
  options: { yes: { type: "boolean" } },
  optionHelp: { yes: "ask nothing, also at a terminal" },
  exits: {
    0: "off, or it was off already",
    2: "bad usage, the kernel refused, or you did not agree",
    5: "not root",
  },
  places: ["kernel", "history", "run"],
  examples: ["sudo seawall down", "sudo seawall down --yes"],
  seeAlso: ["rollback", "status", "apply"],
  run: async (context) => {
    requireNft();
    const folders = foldersOf(context.env);
    refusePanic(folders.state, readLive(), "stay");
    if (!(await agrees(context))) {
      context.err("nothing was changed\n");
      return EXIT.unusable;
    }
    return locked(folders.run, async () => {
      const live = readLive();
      refusePanic(folders.state, live, "stay");
      // What is gone from the kernel may still be what the next start loads.
      if (live === null && startLoads(folders.state) === "nothing") {
        context.out("Seawall was off already\n");
        return EXIT.ok;
      }
      const trouble = takeDown(folders);
      await followKernel(folders.run);
      if (trouble !== null) context.err(`warning: ${trouble}\n`);
      context.out(
        `Seawall is off, ${
          startLoads(folders.state) === "nothing"
            ? "until the next `seawall apply`, also after a reboot"
            : "BUT THE NEXT START LOADS ITS RULES AGAIN"
        }\nthe host's other rules are as they were, nothing of ours is left in the kernel\n`,
      );
      return EXIT.ok;
    });
  },
};

/** Without a terminal (a script, a pipe) nobody can be asked, and what was typed holds. */
async function agrees({ flags, ask }: CommandContext): Promise<boolean> {
  return flags["yes"] === true || ask === undefined || (await ask(QUESTION));
}
