import { resolve } from "node:path";
import { supportParts } from "../../apply/support.ts";
import { writeArchive } from "../../edge/archive/write.ts";
import { VERSION } from "../../core/base/version.ts";
import { foldersOf } from "../../edge/state/folder.ts";
import { type Command, SCHEMA } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { policyPath } from "../policy.ts";
import { plain } from "../../core/base/plain.ts";

export const command: Command = {
  path: ["support"],
  summary: "Gather what a bug report needs, without secrets and names",
  about:
    "Gathers versions, status, policy, our table and the last lines of seawalld in one file. Names and addresses become tokens; it never reads OpenClaw's configuration or the log of connections, and sends nothing.",
  usage: "seawall support [FILE] [--no-redact] [--json]",
  words: { least: 0, most: 1, shown: "[FILE]" },
  who: "root-files",
  options: { "no-redact": { type: "boolean" }, json: { type: "boolean" } },
  optionHelp: {
    "no-redact": "leave names and addresses as they are, for your own use; secrets go all the same",
    json: "print what is in it as JSON",
  },
  exits: {
    0: "the file is written",
    2: "bad usage, a file of that name is there, or it could not be written",
    5: "not root",
  },
  places: ["policy", "history", "kernel", "audits", "run"],
  examples: ["sudo seawall support", "sudo seawall support seawall-support.tar.gz --no-redact"],
  seeAlso: ["backup", "status"],
  argument: { kind: "file" },
  run: async (context) => {
    const nowMs = context.nowMs();
    const redact = context.flags["no-redact"] !== true;
    const parts = supportParts({
      folders: foldersOf(context.env),
      policyPath: policyPath(context, undefined),
      version: VERSION,
      nowMs,
      redact,
      env: context.env,
    });
    const path = resolve(context.cwd, context.positionals[0] ?? nameAt(nowMs));
    await writeArchive(path, parts, nowMs);
    const shown = parts.map((part) => ({
      path: part.path,
      bytes: Buffer.byteLength(part.text),
      what: part.what,
    }));
    if (context.flags["json"] === true) {
      context.out(`${JSON.stringify({ schema: SCHEMA, path, redacted: redact, parts: shown })}\n`);
      return EXIT.ok;
    }
    context.out(`${plain(path)}\n`);
    for (const part of shown) {
      context.out(`  ${part.path.padEnd(14)} ${String(part.bytes).padStart(8)} bytes  ${part.what}\n`);
    }
    context.out(
      redact
        ? "names and addresses are tokens, the same for the same input; look at it before you give it away\n"
        : "names and addresses are NOT replaced: keep it to yourself\n",
    );
    context.err(`Next: tar xzOf ${plain(path)} | less\n`);
    return EXIT.ok;
  },
};

function nameAt(nowMs: number): string {
  return `seawall-support-${new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z.tar.gz`;
}
