/** What the peers call themselves. */
import { spawnSync } from "node:child_process";
import type { BenchContext } from "../context.ts";
import { toolEnvironment, toolPath } from "../tool.ts";

/** Returns `program version` of each program, given the arguments with which it says it. */
export function peerVersions(
  { tools }: BenchContext,
  programs: Readonly<Record<string, readonly string[]>>,
): string {
  const env = { ...process.env, ...toolEnvironment(tools) };
  const all = Object.entries(programs).map(([program, args]) => {
    const { stdout, stderr } = spawnSync(toolPath(tools, program), args, { encoding: "utf8", env });
    return `${program} ${/\d+(\.\d+)+/.exec(`${stdout}${stderr}`)?.[0] ?? "of an unknown version"}`;
  });
  return all.join(", ");
}
