import { resolve } from "node:path";
import { backUp } from "../../apply/backup.ts";
import { locked } from "../../edge/kernel/change-lock.ts";
import { VERSION } from "../../core/base/version.ts";
import { foldersOf } from "../../edge/state/folder.ts";
import { type Command, SCHEMA } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { backupWords } from "../render/backup.ts";
import { plain } from "../../core/base/plain.ts";

export const command: Command = {
  path: ["backup"],
  summary: "Keep configuration, history and events in one file",
  about:
    "Writes configuration, history, audits and log to one new file that only root reads, consistent while seawalld runs. It changes nothing else, never replaces a file, and keeps no key or password of OpenClaw.",
  usage: "seawall backup [FILE] [--json]",
  words: { least: 0, most: 1, shown: "[FILE]" },
  who: "root-files",
  options: { json: { type: "boolean" } },
  optionHelp: { json: "print what is in it as JSON" },
  exits: {
    0: "the backup is written",
    2: "bad usage, a file of that name is there, or it could not be written",
    3: "there is nothing to keep",
    5: "not root",
  },
  places: ["policy", "history", "events", "audits", "run"],
  examples: ["sudo seawall backup", "sudo seawall backup /root/seawall.tar.gz"],
  seeAlso: ["restore", "support"],
  argument: { kind: "file" },
  run: async (context) => {
    const nowMs = context.nowMs();
    const folders = foldersOf(context.env);
    const path = resolve(context.cwd, context.positionals[0] ?? nameAt(nowMs));
    const { files, omitted } = await locked(folders.run, () =>
      backUp({ folders, path, version: VERSION, nowMs }),
    );
    for (const one of omitted) context.err(`not kept: ${plain(one)}\n`);
    if (context.flags["json"] === true) {
      context.out(`${JSON.stringify({ schema: SCHEMA, path, files, omitted })}\n`);
      return EXIT.ok;
    }
    context.out(`${plain(path)}: ${backupWords(files)}; only root may read it\n`);
    context.err(`Next: keep it on another machine; seawall restore ${plain(path)} puts it back\n`);
    return EXIT.ok;
  },
};

function nameAt(nowMs: number): string {
  return `seawall-backup-${new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z.tar.gz`;
}
