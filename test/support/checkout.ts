import { type SpawnOptions, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");
const COPIED = [
  "bootstrap.mjs",
  "seawall",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "tsconfig.build.json",
  "script",
];
const RUN_LIMIT_MS = 60_000;

/** A command line that is enough to see how it was started. */
const CLI = `
import { readFileSync } from "node:fs";
const [word = "", ...rest] = process.argv.slice(2);
if (word === "--version") console.log("0.0.1");
if (word === "arguments") console.log(JSON.stringify(rest));
if (word === "input") console.log(readFileSync(0, "utf8"));
if (word === "exit") process.exitCode = Number(rest[0]);
if (word === "die") process.kill(process.pid, "SIGKILL");
if (word === "wait") {
  process.on("SIGTERM", () => process.exit(5));
  setInterval(() => {}, 1000);
  console.log("ready");
}
`;

export interface Checkout extends Disposable {
  readonly root: string;
  readonly write: (file: string, text: string, mode?: number) => string;
}

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A copy of this checkout in a folder of its own, with a tiny command line in place of the real sources. */
export function copyCheckout({ modules = true } = {}): Checkout {
  const root = mkdtempSync(join(tmpdir(), "seawall-checkout-"));
  const write = (file: string, text: string, mode = 0o644): string => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text, { mode });
    return join(root, file);
  };
  for (const name of COPIED) cpSync(join(ROOT, name), join(root, name), { recursive: true, filter: isOurs });
  if (modules) symlinkSync(realModules(), join(root, "node_modules"));
  write("src/cli/main.ts", CLI);
  return { root, write, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}

/** Packages that parts of the repository install for themselves stay where they are. */
function isOurs(path: string): boolean {
  return !path.slice(ROOT.length).includes("node_modules");
}

/** The installed packages that a copy borrows. */
export function realModules(): string {
  return join(ROOT, "node_modules");
}

/** Runs a program to its end, with nothing on its standard input unless `input` says so. */
export async function run(
  program: string,
  args: readonly string[],
  { input = "", ...options }: SpawnOptions & { readonly input?: string } = {},
): Promise<Outcome> {
  const child = spawn(program, args, { timeout: RUN_LIMIT_MS, ...options, stdio: ["pipe", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk) => (out += String(chunk)));
  child.stderr.on("data", (chunk) => (err += String(chunk)));
  // A program that ends without reading its input is not an error here.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  return { code, out, err };
}
