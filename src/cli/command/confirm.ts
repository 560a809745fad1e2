import process from "node:process";
import { changeOnTrial } from "../../apply/change-against.ts";
import { CONFIRM_LINE } from "../../apply/confirm-line.ts";
import { confirm } from "../../apply/confirm.ts";
import { plain } from "../../core/base/plain.ts";
import { followKernel } from "../../apply/gate.ts";
import { foldersOf } from "../../edge/state/folder.ts";
import { locked } from "../../edge/kernel/change-lock.ts";
import { endedText } from "../ended.ts";
import { type Command, NO_WORDS, SCHEMA } from "../command.ts";
import { EXIT } from "../exit-code.ts";

export const command: Command = {
  path: ["confirm"],
  summary: "Keep the policy that waits",
  about:
    "Keeps the change that waits, once you show that you still get in: by an SSH connection that began after it. It never keeps a change that your present connection alone survived.",
  usage: "seawall confirm [--console] [--json]",
  words: NO_WORDS,
  who: "root-changes",
  options: { console: { type: "boolean" }, json: { type: "boolean" } },
  optionHelp: {
    console: "confirm from a local console, where no SSH connection can prove anything",
    json: "print the result as JSON",
  },
  exits: {
    0: "kept",
    2: "nothing waits, or nothing shows that you get in; the change still waits",
    5: "not root",
    6: "too late: the kernel went back",
  },
  places: ["kernel", "history", "run", "operator"],
  examples: [CONFIRM_LINE, "sudo seawall confirm --console"],
  seeAlso: ["apply", "rollback", "status"],
  run: async (context) => {
    const folders = foldersOf(context.env);
    const { done, change } = await locked(folders.run, () => {
      const onTrial = changeOnTrial(folders);
      const by = { pid: process.pid, console: context.flags["console"] === true, env: context.env };
      return {
        done: confirm(folders, by, context.nowMs()),
        change: onTrial?.kept ?? null,
      };
    });
    if (context.flags["json"] === true) {
      context.out(
        `${JSON.stringify({ schema: SCHEMA, confirmed: true, generation: done.generation, history: done.entry?.id ?? null, change, shownBy: done.shownBy, ended: done.ended, endedConnections: done.endedConnections })}\n`,
      );
    } else {
      const what = done.entry === undefined ? "the change" : `history ${done.entry.id}`;
      context.out(`confirmed: ${what} stays in force, shown by ${done.shownBy}\n`);
      if (change !== null) context.out(`change: ${plain(change)}\n`);
      context.out(endedText(done));
    }
    await followKernel(folders.run);
    if (done.trouble !== null) context.err(`warning: ${done.trouble}\n`);
    return EXIT.ok;
  },
};
