/** `seawall apply` of a policy: as a whole process, and its steps inside a process. */
import { fileURLToPath } from "node:url";
import type { AppliedRound } from "./child/applied-round.ts";
import { deleteTable, processMs, run } from "./command.ts";
import { type BenchContext, freshFolders, seawallCommand } from "./context.ts";

/** Returns the time of the first apply into an empty namespace. `mark` is text that the kernel must list afterwards. */
export function applyProcessMs(context: BenchContext, policy: string, mark: string): number {
  deleteTable();
  const ms = processMs(seawallCommand(context, "apply", policy), { env: freshFolders(context) });
  requireListed(mark);
  deleteTable();
  return ms;
}

export interface StepsWanted {
  readonly policy: string;
  /** Text that the kernel must list afterwards. */
  readonly mark: string;
  readonly rounds: number;
  /** `apply`: as the command does it. `core`: nothing but parse, resolve, compile and `nft -f`. */
  readonly part: "apply" | "core";
}

/** Returns the steps of `rounds` applies in one new process, each into an empty namespace. */
export function applySteps(
  context: BenchContext,
  { policy, mark, rounds, part }: StepsWanted,
): readonly AppliedRound[] {
  deleteTable();
  const script = fileURLToPath(new URL("child/applied.ts", import.meta.url));
  const said = run([process.execPath, script, context.root, policy, String(rounds), part], {
    env: { SEAWALL_BENCH_FOLDER: context.folder },
  });
  requireListed(mark);
  deleteTable();
  return JSON.parse(said) as readonly AppliedRound[];
}

/** What was timed must be in the kernel, or the time means nothing. */
function requireListed(mark: string): void {
  const listed = run(["nft", "list", "table", "inet", "seawall"]);
  if (!listed.includes(mark)) throw new Error(`the kernel does not hold ${mark}`);
}
