import { execFileSync } from "node:child_process";

/** Loads ruleset text into the network namespace of this process; throws with nft's own words. */
export function nftLoad(text: string): void {
  try {
    execFileSync("nft", ["-f", "-"], { input: text, stdio: ["pipe", "pipe", "pipe"], timeout: 30_000 });
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
    throw new Error(`nft refused the ruleset:\n${said.slice(0, 4000)}`, { cause: error });
  }
}

export function nftOutput(args: readonly string[]): string {
  return execFileSync("nft", [...args], { encoding: "utf8", timeout: 30_000, maxBuffer: 64 * 1024 * 1024 });
}
