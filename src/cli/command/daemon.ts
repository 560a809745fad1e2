import { type Command, NO_WORDS } from "../command.ts";
import { foldersOf } from "../../edge/state/folder.ts";
import { placesOf } from "../place.ts";

export const command: Command = {
  path: ["daemon"],
  summary: "Run seawalld in the foreground",
  about:
    "Runs seawalld: it keeps the log and the gates for names. The kernel holds the rules without it, and it never changes which policy is in force.",
  usage: "seawall daemon [--upstream ADDR:PORT[,...]]",
  words: NO_WORDS,
  who: "root-changes",
  options: { upstream: { type: "string" } },
  optionHelp: { upstream: "the resolvers that the gates ask (those of /etc/resolv.conf)" },
  exits: { 0: "ended by a signal", 2: "bad usage, or it could not start", 5: "not root" },
  places: ["kernel", "history", "events", "run", "resolver"],
  examples: ["sudo seawall daemon", "sudo seawall daemon --upstream 9.9.9.9:53"],
  seeAlso: ["status", "gate", "flows"],
  run: async (context) => {
    const resolvers = placesOf(context, "upstream");
    const { runDaemon } = await import("../../daemon/main.ts");
    return runDaemon(foldersOf(context.env), { resolvers }, context);
  },
};
