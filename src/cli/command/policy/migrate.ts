import { dirname, join } from "node:path";
import { hasError } from "../../../core/base/diagnostic.ts";
import { SeawallError } from "../../../core/base/error.ts";
import { migratePolicy } from "../../../core/policy/migrate/migrate.ts";
import { POLICY_VERSION } from "../../../core/policy/parse/vocabulary.ts";
import type { Command, CommandContext } from "../../command.ts";
import { EXIT } from "../../exit-code.ts";
import { checkWritten, readPolicy, type WrittenPolicy } from "../../policy.ts";
import { keepCopy, replaceKeeping } from "../../policy-write.ts";
import { renderDiagnostics } from "../../render/diagnostic.ts";
import { difference } from "../../rule-edit.ts";

export const command: Command = {
  path: ["policy", "migrate"],
  summary: "Write a policy file in the present version of the language",
  about:
    "Rewrites only the lines that an older version or an older spelling concerns, and keeps a copy beside the file. It never changes what is in force, never drops a comment, and writes nothing unless the result is a whole policy.",
  usage: "seawall policy migrate [FILE] [--dry-run]",
  words: { least: 0, most: 1, shown: "[FILE]" },
  who: "anybody",
  options: { "dry-run": { type: "boolean" } },
  optionHelp: { "dry-run": "show the changes, write nothing" },
  exits: {
    0: "written, or nothing had to be",
    2: "bad usage, of a later version, or with errors that no migration cures; nothing was written",
    3: "the file is not there",
    5: "not root, and only root may read or write the file",
  },
  places: ["policy"],
  examples: ["sudo seawall policy migrate --dry-run", "seawall policy migrate policy.yaml"],
  seeAlso: ["policy check", "version"],
  argument: { kind: "file" },
  run: async (context) => {
    const written = readPolicy(context, context.positionals[0]);
    const files = migratedFiles(context, written);
    requireWhole(context, written, files);
    const changed = files.filter(({ done }) => done.length > 0);
    for (const { path, before, after, done } of changed) {
      for (const what of done) context.err(`${path}: ${what}\n`);
      context.out(difference(path, before, after));
    }
    if (changed.length === 0) context.err(`${written.path} is of version ${POLICY_VERSION}: nothing to do\n`);
    else if (context.flags["dry-run"] === true) context.err("dry run: nothing was written\n");
    else write(context, changed);
    return EXIT.ok;
  },
};

interface MigratedFile {
  readonly path: string;
  /** `policy.d/NAME`; null for the main file. */
  readonly dropIn: string | null;
  readonly before: string;
  readonly after: string;
  readonly done: readonly string[];
}

function migratedFiles(context: CommandContext, { path, text, dropIns }: WrittenPolicy): MigratedFile[] {
  const all = [
    { path, dropIn: null, before: text },
    ...dropIns.map(({ file, text: added }) => ({
      path: join(dirname(path), file),
      dropIn: file,
      before: added,
    })),
  ];
  return all.map((file) => {
    const migration = migratePolicy(file.before);
    if (migration.ok) return { ...file, after: migration.text, done: migration.done };
    context.err(renderDiagnostics(migration.diagnostics, file.before, file.path, context.color));
    throw refusal(file.path);
  });
}

/** Nothing is written that would not be a policy afterwards, all files together. */
function requireWhole(context: CommandContext, written: WrittenPolicy, files: readonly MigratedFile[]): void {
  const [main, ...others] = files;
  const dropIns = others.flatMap(({ dropIn, after }) =>
    dropIn === null ? [] : [{ file: dropIn, text: after }],
  );
  const text = main?.after ?? written.text;
  const { diagnostics } = checkWritten({ ...written, text, dropIns }, context.nowMs());
  if (!hasError(diagnostics)) return;
  context.err(renderDiagnostics(diagnostics, text, written.path, context.color, dropIns));
  throw refusal(written.path);
}

function refusal(path: string): SeawallError {
  return new SeawallError("SEAWALL_POLICY", `\`${path}\` cannot be migrated`, {
    still: "no file was changed, and neither is what is in force",
    help: `seawall policy check ${path}`,
  });
}

/** All copies first: a copy that cannot be kept leaves every file as it is. */
function write(context: CommandContext, files: readonly MigratedFile[]): void {
  const copies = files.map(({ path }) => ({ path, copy: `${path}.before-v${POLICY_VERSION}` }));
  for (const { path, copy } of copies) keepCopy(path, copy);
  for (const { path, after } of files) replaceKeeping(path, after);
  for (const { copy } of copies) context.err(`the file from before is ${copy}\n`);
  context.err("Next: seawall apply\n");
}
