import { existsSync } from "node:fs";
import { join } from "node:path";
import { SeawallError } from "../../core/base/error.ts";
import { runSync } from "../../edge/host/command.ts";
import { type Command, NO_WORDS } from "../command.ts";
import type { ExitCode } from "../exit-code.ts";

/** Where the script is in a package, and in a checkout; `seawall` itself calls it without coming here. */
const PLACES = ["../../../rescue.sh", "../../../share/boot/rescue.sh"];

export const command: Command = {
  path: ["rescue"],
  summary: "The way back: nothing judges but the guards, until the next apply",
  about:
    "Takes every rule of Seawall out of the kernel but its guards, now and at the next start, until the next apply; by a script that needs neither Node.js nor the daemon. It never touches the rules of others.",
  usage: "seawall rescue",
  words: NO_WORDS,
  who: "root-changes",
  options: {},
  optionHelp: {},
  exits: {
    0: "done",
    2: "bad usage, or nft could not do it",
    3: "the script is not where it was installed",
    5: "not root",
  },
  places: ["kernel"],
  examples: ["sudo seawall rescue", "sudo seawall rescue && sudo seawall status"],
  seeAlso: ["status", "down", "rollback"],
  run: async (context) => {
    const script = PLACES.map((place) => join(import.meta.dirname, place)).find(existsSync);
    if (script === undefined) {
      throw new SeawallError("SEAWALL_NOT_FOUND", "rescue.sh is not where it was installed", {
        still: "nothing was changed",
        help: "systemctl stop seawalld; nft delete table inet seawall",
      });
    }
    const result = runSync("/bin/sh", [script]);
    context.out(result.stdout);
    context.err(result.stderr);
    return (result.status ?? 2) as ExitCode;
  },
};
