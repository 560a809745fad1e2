/** Runs one benchmark in the namespace that main.ts made, and prints its result as one JSON line. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BENCHMARKS } from "./registry.ts";

const [name = "", text = "{}"] = process.argv.slice(2);
const given = JSON.parse(text) as { root: string; quick: boolean; full: boolean; tools: string | null };
const folder = mkdtempSync(join(tmpdir(), "seawall-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const benchmark = BENCHMARKS.find((one) => one.name === name);
if (benchmark === undefined) throw new Error(`there is no benchmark \`${name}\``);
const { measure } = await benchmark.load();
process.stdout.write(`${JSON.stringify(await measure({ ...given, folder }))}\n`);
