import { execFileSync } from "node:child_process";
import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where `script/generate-*.ts` write; everything there is generated. */
const GENERATED = [
  "schema/*",
  "docs/reference/*",
  "share/man/*/*",
  "share/completions/*/*",
  "share/boot/way-back.txt",
];
const GENERATOR_LIMIT_MS = 60_000;

/**
 * Runs every generator and returns the files that came out differently; empty when all are up to date.
 * The checkout is as before afterwards.
 */
export async function driftOf(root: string): Promise<string> {
  const before = readGenerated(root);
  const generators = globSync("script/generate-*.ts", { cwd: root }).sort();
  let after: ReadonlyMap<string, string>;
  try {
    for (const generator of generators) {
      execFileSync(process.execPath, [generator], { cwd: root, stdio: "pipe", timeout: GENERATOR_LIMIT_MS });
    }
  } catch (cause) {
    return String(cause);
  } finally {
    after = readGenerated(root);
    restore(root, before, after);
  }
  const changed = [...after].filter(([file, text]) => before.get(file) !== text).map(([file]) => file);
  if (changed.length === 0) return "";
  return `out of date: ${changed.join(", ")}\nNext: ${generators.map((file) => `node ${file}`).join(" && ")}`;
}

function readGenerated(root: string): ReadonlyMap<string, string> {
  const files = globSync(GENERATED, { cwd: root });
  return new Map(files.map((file) => [file, readFileSync(join(root, file), "utf8")]));
}

function restore(
  root: string,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): void {
  for (const [file, text] of before) if (after.get(file) !== text) writeFileSync(join(root, file), text);
  for (const file of after.keys()) {
    if (!before.has(file) && existsSync(join(root, file))) rmSync(join(root, file));
  }
}
