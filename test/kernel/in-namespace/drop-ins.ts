/** A policy with a drop-in is applied, then one without it, then the first comes back from the history. Prints the tables. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nftOutput } from "../../support/wire/nft.ts";

export interface DropInReport {
  /** The table of each generation, without what differs from one generation to the next. */
  readonly first: string;
  readonly second: string;
  readonly again: string;
  /** The drop-ins in each entry of the history. */
  readonly kept: readonly (readonly string[])[];
  /** What rollback says once the kept drop-ins were changed, and once they are gone. */
  readonly changed: string;
  readonly gone: string;
}

const CLI = join(import.meta.dirname, "..", "..", "..", "src", "cli", "main.ts");
const folder = mkdtempSync(join(tmpdir(), "seawall-drop-ins-"));
const config = join(folder, "config");
const state = join(folder, "state");
const env = {
  ...process.env,
  SEAWALL_CONFIG_DIR: config,
  SEAWALL_STATE_DIR: state,
  SEAWALL_RUN_DIR: join(folder, "run"),
};

const rule = (text: string): string => `inbound:\n  - {${text}, why: a rule of this test}\n`;
const seawall = (...args: readonly string[]): string =>
  execFileSync(process.execPath, [CLI, ...args], { env, encoding: "utf8", stdio: "pipe", timeout: 30_000 });

try {
  console.log(JSON.stringify(report()));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function report(): DropInReport {
  const dropIn = join(config, "policy.d", "web.yaml");
  mkdirSync(join(config, "policy.d"), { recursive: true });
  writeFileSync(
    join(config, "policy.yaml"),
    `version: 1\nsets: {office: [198.51.100.0/24]}\n${rule("allow: ssh, from: any")}`,
  );
  writeFileSync(dropIn, `version: 1\n${rule("id: web, allow: 8082, from: office")}`);
  const first = inForce("apply");
  rmSync(dropIn);
  const second = inForce("apply");
  writeFileSync(dropIn, `version: 1\n${rule("id: other, allow: 9000, from: any")}`);
  const again = inForce("rollback", "1");
  const { entries } = JSON.parse(seawall("history", "--json")) as { entries: { dropIns: string[] }[] };
  const kept = join(state, "history", "000001.drop-ins.json");
  writeFileSync(kept, readFileSync(kept, "utf8").replace("8082", "8083"));
  const changed = refusal("rollback", "1");
  rmSync(kept);
  const gone = refusal("rollback", "1");
  return { first, second, again, kept: entries.map(({ dropIns }) => dropIns), changed, gone };
}

function inForce(...args: readonly string[]): string {
  seawall(...args);
  seawall("confirm", "--console");
  const table = nftOutput(["-s", "list", "table", "inet", "seawall"])
    .replaceAll(/(\b|_)g\d+(?=\W|_)/g, "$1g")
    .replaceAll(/0x[0-9a-f]{8}/g, "MARK")
    .replaceAll(/(log prefix "[^"]*?) \d+ /g, "$1 ")
    .replace("table inet seawall {", "");
  // Objects are listed in the order in which they were made; the lease's comment names the entry of the history.
  const objects = table.split(/(?<=\n\t\})\s*/).map((object) => object.trim());
  return objects
    .map((object) => object.replace(/comment "policy \d+ /, 'comment "policy '))
    .sort()
    .join("\n");
}

function refusal(...args: readonly string[]): string {
  try {
    seawall(...args);
  } catch (cause) {
    return String((cause as { readonly stderr?: unknown }).stderr);
  }
  return `nothing; the history holds ${readdirSync(join(state, "history")).join(" ")}`;
}
