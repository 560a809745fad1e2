import { refusePanic } from "../../apply/panic.ts";
import { takeDown } from "../../apply/settle.ts";
import { readLive } from "../../edge/kernel/live.ts";
import { requireNft } from "../../edge/kernel/nft.ts";
import { followKernel } from "../../apply/gate.ts";
import { foldersOf } from "../../edge/state/folder.ts";
import { locked } from "../../edge/kernel/change-lock.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { requireRoot } from "../root.ts";

export const command: Command = {
  path: ["down"],
  summary: "Take everything of Seawall out of the kernel",
  usage: "seawall down",
  options: { yes: { type: "boolean" } },
  optionHelp: { yes: "ask nothing" },
  examples: ["seawall down"],
  run: async (context) => {
    requireRoot("down");
    requireNft();
    const folders = foldersOf(context.env);
    return locked(folders.run, async () => {
      const live = readLive();
      refusePanic(live);
      if (live === null) {
        context.out("Seawall was off already\n");
        return EXIT.ok;
      }
      const trouble = takeDown(folders);
      await followKernel(folders.run);
      if (trouble !== null) context.err(`warning: ${trouble}\n`);
      context.out(
        "Seawall is off: the host's other rules are as they were, nothing of ours is left in the kernel\n",
      );
      return EXIT.ok;
    });
  },
};
