/** nft for scripts that run in a namespace of their own. */
import { execFileSync } from "node:child_process";

/** Loads a ruleset given as text. */
export function loadRules(text: string): void {
  execFileSync("nft", ["-f", "-"], { input: text });
}

/** Returns the JSON objects that `nft -j list` prints for its parameters. */
export function listJson(...parameters: readonly string[]): readonly unknown[] {
  const output = execFileSync("nft", ["-j", "list", ...parameters], {
    encoding: "utf8",
    maxBuffer: 64 << 20,
  });
  return (JSON.parse(output) as { nftables: unknown[] }).nftables;
}

/** Returns the elements of a set as nft shows them. */
export function listElements(set: string): unknown[] {
  for (const entry of listJson("set", "inet", "seawall", set)) {
    if (typeof entry === "object" && entry !== null && "set" in entry) {
      return (entry.set as { elem?: unknown[] }).elem ?? [];
    }
  }
  throw new Error(`no set ${set}`);
}

export function linkUp(name: string): void {
  execFileSync("ip", ["link", "set", name, "up"]);
}
