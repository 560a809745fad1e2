import { resolve } from "node:path";
import { restoreBackup } from "../../apply/restore.ts";
import { SeawallError } from "../../core/base/error.ts";
import { locked } from "../../edge/kernel/change-lock.ts";
import { VERSION } from "../../core/base/version.ts";
import { foldersOf } from "../../edge/state/folder.ts";
import { type Command, SCHEMA } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { backupWords } from "../render/backup.ts";
import { plain } from "../../core/base/plain.ts";

export const command: Command = {
  path: ["restore"],
  summary: "Put a backup back, all of it or nothing",
  about:
    "Looks at a whole backup, then puts configuration, history, audits and log in place, all or nothing, and keeps the former files. It never touches the kernel: `seawall apply` does, afterwards.",
  usage: "seawall restore FILE [--dry-run] [--json]",
  words: { least: 1, most: 1, shown: "FILE" },
  who: "root-files",
  options: { "dry-run": { type: "boolean" }, json: { type: "boolean" } },
  optionHelp: {
    "dry-run": "look at all of it, and change nothing",
    json: "print the result as JSON",
  },
  exits: {
    0: "restored, or with --dry-run could be",
    2: "bad usage, or the backup cannot be used: nothing was changed",
    3: "there is no such file",
    5: "not root",
  },
  places: ["policy", "history", "events", "audits", "run"],
  examples: ["sudo seawall restore seawall.tar.gz --dry-run", "sudo seawall restore seawall.tar.gz"],
  seeAlso: ["backup", "apply", "history"],
  argument: { kind: "file" },
  run: async (context) => {
    const [named] = context.positionals;
    if (named === undefined)
      throw new SeawallError("SEAWALL_USAGE", "the backup is missing", { help: "seawall restore FILE" });
    const dryRun = context.flags["dry-run"] === true;
    const folders = foldersOf(context.env);
    const path = resolve(context.cwd, named);
    const { manifest, former, inForce } = await locked(folders.run, () =>
      restoreBackup({ folders, path, version: VERSION, dryRun, nowMs: context.nowMs() }),
    );
    const { taken, version, files } = manifest;
    if (context.flags["json"] === true) {
      context.out(`${JSON.stringify({ schema: SCHEMA, dryRun, taken, version, files, former, inForce })}\n`);
      return EXIT.ok;
    }
    context.out(
      `${dryRun ? "would restore" : "restored"} from ${taken} (seawall ${version}): ${backupWords(files)}\n`,
    );
    for (const folder of former) context.out(`the former files are kept in ${plain(folder)}\n`);
    context.out("the kernel was not touched: what was in force is in force\n");
    context.err(`Next: seawall ${dryRun ? `restore ${plain(named)}` : "apply"}\n`);
    return EXIT.ok;
  },
};
