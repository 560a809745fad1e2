import type { Command } from "../command.ts";
import { foldersOf } from "../../edge/state/folder.ts";
import { requireRoot } from "../root.ts";

export const command: Command = {
  path: ["daemon"],
  summary: "Run seawalld in the foreground",
  usage: "seawall daemon",
  options: {},
  optionHelp: {},
  examples: ["seawall daemon"],
  run: async (context) => {
    requireRoot("daemon");
    const { runDaemon } = await import("../../daemon/main.ts");
    return runDaemon(foldersOf(context.env), context);
  },
};
