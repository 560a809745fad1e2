/** What the figures were measured on. */
import { cpus, loadavg, release, totalmem } from "node:os";
import { run } from "./command.ts";

/** Returns the lines that stand above every table: date, machine, versions, load. */
export function describeMachine(startedMs: number, loadBefore: number): string[] {
  const all = cpus();
  const model = all[0]?.model.trim() || "unknown processor";
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const load = `${loadBefore.toFixed(1)} at the start, ${oneMinuteLoad().toFixed(1)} at the end`;
  return [
    `Date: ${new Date(startedMs).toISOString().slice(0, 16).replace("T", " ")} UTC`,
    `Machine: ${all.length} x ${model}, ${memory}, Linux ${release()}`,
    `Versions: Node ${process.versions.node}, ${version(["nft", "--version"])}, ${version(["ufw", "version"])}`,
    `Load (1 minute): ${load}`,
  ];
}

export function oneMinuteLoad(): number {
  return loadavg()[0] ?? 0;
}

function version(argv: readonly string[]): string {
  try {
    return run(argv).split("\n")[0]?.trim() ?? "";
  } catch {
    return `${argv[0]} not installed`;
  }
}
