import { realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { SeawallError } from "../../../core/base/error.ts";
import { formatPolicy } from "../../../core/policy/edit/format.ts";
import { fileError } from "../../../edge/host/file-error.ts";
import { readPolicyText } from "../../../edge/host/policy-file.ts";
import type { Command } from "../../command.ts";
import { EXIT } from "../../exit-code.ts";
import { policyPath } from "../../policy.ts";
import { renderDiagnostics } from "../../render/diagnostic.ts";

export const command: Command = {
  path: ["policy", "fmt"],
  summary: "Format a policy file",
  about:
    "Lays a policy file out in the common way. It never changes what the policy means and keeps every comment.",
  usage: "seawall policy fmt [FILE] [--check | --stdout]",
  words: { least: 0, most: 1, shown: "[FILE]" },
  who: "anybody",
  options: { check: { type: "boolean" }, stdout: { type: "boolean" } },
  optionHelp: {
    check: "change nothing; exit 1 when the file is not formatted",
    stdout: "print the result instead of writing the file",
  },
  exits: {
    0: "formatted, or it was already",
    1: "with --check: not formatted",
    2: "bad usage, or not readable as YAML; the file was not changed",
    3: "the file is not there",
    5: "not root, and only root may read or write the file",
  },
  places: ["policy"],
  examples: ["seawall policy fmt policy.yaml", "seawall policy fmt policy.yaml --check"],
  seeAlso: ["policy check"],
  argument: { kind: "file" },
  isDocument: true,
  run: async (context) => {
    const path = policyPath(context, context.positionals[0]);
    const text = readPolicyText(path);
    const formatted = formatPolicy(text);
    if (!formatted.ok) {
      context.err(renderDiagnostics(formatted.diagnostics, text, path, false));
      throw new SeawallError("SEAWALL_POLICY", `\`${path}\` is not readable as YAML`, {
        still: "the file was not changed",
        help: `seawall policy check ${path}`,
      });
    }
    if (context.flags["stdout"] === true) {
      context.out(formatted.text);
      return EXIT.ok;
    }
    const isFormatted = formatted.text === text;
    if (context.flags["check"] === true) {
      if (!isFormatted) context.err(`${path} is not formatted\n`);
      return isFormatted ? EXIT.ok : EXIT.findings;
    }
    if (!isFormatted) replaceFile(path, formatted.text);
    context.err(`${path} ${isFormatted ? "was formatted already" : "is formatted"}\n`);
    return EXIT.ok;
  },
};

/** Replaces a file in one step, so that a reader sees the old text or the new one. Links are followed. */
function replaceFile(path: string, text: string): void {
  try {
    const file = realpathSync(path);
    const beside = `${file}.new`;
    const { mode, uid, gid } = statSync(file);
    if (process.getuid?.() !== uid || process.getgid?.() !== gid) {
      // Another owner's file is written in place: a new one would be ours.
      writeFileSync(file, text);
      return;
    }
    try {
      writeFileSync(beside, text, { flag: "wx", mode: mode & 0o777, flush: true });
      renameSync(beside, file);
    } catch (cause) {
      rmSync(beside, { force: true });
      throw cause;
    }
  } catch (cause) {
    throw fileError("write", path, cause);
  }
}
