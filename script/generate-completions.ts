/** Writes share/completions/SHELL/FILE: what `seawall completion SHELL` prints. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { completionScript } from "../src/cli/completion/script.ts";
import { COMMANDS } from "../src/cli/registry.ts";
import { COMPLETION_FILES, SHELLS } from "../src/cli/completion/shell.ts";

const FOLDER = join(import.meta.dirname, "..", "share", "completions");

for (const shell of SHELLS) {
  mkdirSync(join(FOLDER, shell), { recursive: true });
  writeFileSync(join(FOLDER, shell, COMPLETION_FILES[shell]), await completionScript(COMMANDS, shell));
}
