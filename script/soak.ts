// The long proofs, one after the other: `npm run soak` runs every program in script/soak, `npm run soak -- NAME ...`
// runs one and gives it the other arguments. Each prints its own figures and ends with 0 when it held.
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { basename, join } from "node:path";

const FOLDER = join(import.meta.dirname, "soak");
const [wanted, ...args] = process.argv.slice(2);

const programs = globSync("*.ts", { cwd: FOLDER })
  .map((file) => basename(file, ".ts"))
  .sort((a, b) => a.localeCompare(b));
const chosen = programs.filter((name) => wanted === undefined || name === wanted);
const broken = chosen.filter((name) => !holds(name));

console.log(
  `${chosen.length - broken.length} held, ${broken.length} broken${broken.map((name) => ` ${name}`).join("")}`,
);
if (chosen.length === 0) console.error(`Next: npm run soak -- ${programs.join("|")}`);
process.exitCode = chosen.length === 0 || broken.length > 0 ? 1 : 0;

function holds(name: string): boolean {
  console.log(`== ${name}`);
  return (
    spawnSync(process.execPath, [join(FOLDER, `${name}.ts`), ...args], { stdio: "inherit" }).status === 0
  );
}
