import type { Command } from "../command.ts";
import { foldersOf } from "../../edge/state/folder.ts";
import { placesOf } from "../place.ts";
import { requireRoot } from "../root.ts";

export const command: Command = {
  path: ["daemon"],
  summary: "Run seawalld in the foreground",
  usage: "seawall daemon [--upstream ADDR:PORT[,...]]",
  options: { upstream: { type: "string" } },
  optionHelp: { upstream: "the resolvers that the gates ask (those of /etc/resolv.conf)" },
  examples: ["seawall daemon", "seawall daemon --upstream 9.9.9.9:53"],
  run: async (context) => {
    requireRoot("daemon");
    const resolvers = placesOf(context, "upstream");
    const { runDaemon } = await import("../../daemon/main.ts");
    return runDaemon(foldersOf(context.env), { resolvers }, context);
  },
};
