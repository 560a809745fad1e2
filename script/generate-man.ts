/** Writes share/man: seawall(1) from the commands, seawall-policy(5) from the schema. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commandPage } from "./man/command-page.ts";
import { policyPage } from "./man/policy-page.ts";

const FOLDER = join(import.meta.dirname, "..", "share", "man");

for (const folder of ["man1", "man5"]) mkdirSync(join(FOLDER, folder), { recursive: true });
writeFileSync(join(FOLDER, "man1", "seawall.1"), await commandPage());
writeFileSync(join(FOLDER, "man5", "seawall-policy.5"), policyPage());
