import { type Status, readStatus } from "../../apply/status.ts";
import { foldersOf } from "../../edge/state/folder.ts";
import { type Command, SCHEMA } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { requireRootToSee } from "../root.ts";
import { plain } from "../render/plain.ts";

export const command: Command = {
  path: ["status"],
  summary: "Show what is in force",
  usage: "seawall status [--json]",
  options: { json: { type: "boolean" } },
  optionHelp: { json: "print the status as JSON" },
  examples: ["seawall status", "seawall status --json"],
  run: async (context) => {
    requireRootToSee("status");
    const status = readStatus(foldersOf(context.env), context.nowMs());
    if (context.flags["json"] === true) context.out(`${JSON.stringify({ schema: SCHEMA, ...status })}\n`);
    else context.out(screen(status));
    return EXIT.ok;
  },
};

const WORDS: Record<Status["state"], string> = {
  off: "OFF        nothing of Seawall is in the kernel; nothing is protected by it",
  observing: "OBSERVING  connections are judged and logged, but not stopped (guards are)",
  enforcing: "ENFORCING  the kernel holds the rules, with or without a daemon",
  pending: "PENDING    a change waits for its confirm",
  drifted: "DRIFTED    the kernel does not hold what was applied",
};

function screen(status: Status): string {
  const lines = [WORDS[status.state]];
  if (status.mode !== null)
    lines.push(`mode       inbound ${status.mode.inbound}, outbound ${status.mode.outbound}`);
  if (status.generation !== null) lines.push(`generation ${status.generation}`);
  if (status.policy !== null)
    lines.push(`policy     ${plain(status.policy.path)} (history ${status.policy.id})`);
  if (status.confirmBy !== null) {
    lines.push(
      `confirm    until ${status.confirmBy}, or the kernel goes back`,
      "Next: log in anew and run `seawall confirm`",
    );
  }
  if (status.drift !== null) lines.push(`drift      ${status.drift}`, "Next: seawall apply FILE");
  lines.push(`containment ${status.containment}: this version does not examine the agent's user yet`);
  return `${lines.join("\n")}\n`;
}
