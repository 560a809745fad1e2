/** Many files change their places together: all of them or none, whenever the process ends. */
import { existsSync, readFileSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { SeawallError } from "../../core/base/error.ts";
import { dropFile, replaceFile, syncFolder } from "./replace-file.ts";

export interface Move {
  readonly from: string;
  readonly to: string;
}

const JOURNAL_FILE = "restore.journal";
const JOURNAL = z.array(z.strictObject({ from: z.string(), to: z.string() }));

/**
 * Makes the moves in their order. What fails is undone before this refuses with SEAWALL_STATE; what a kill leaves half
 * done is undone by `undoMoves`. INVARIANT: the places that things go to are empty by then.
 */
export function makeMoves(state: string, moves: readonly Move[]): void {
  replaceFile(join(state, JOURNAL_FILE), `${JSON.stringify(moves)}\n`);
  try {
    for (const { from, to } of moves) renameSync(from, to);
    for (const folder of new Set(moves.flatMap(({ from, to }) => [dirname(from), dirname(to)])))
      syncFolder(folder);
  } catch (cause) {
    undoMoves(state);
    throw new SeawallError("SEAWALL_STATE", "the files could not be put in their places", {
      still: "everything is where it was",
      help: `ls -l ${state}`,
      cause,
    });
  }
  dropFile(join(state, JOURNAL_FILE));
}

/** Takes back what moves that were not finished have done. Returns whether there were any. */
export function undoMoves(state: string): boolean {
  const journal = join(state, JOURNAL_FILE);
  if (!existsSync(journal)) return false;
  for (const { from, to } of readJournal(journal).toReversed()) {
    if (existsSync(to) && !existsSync(from)) renameSync(to, from);
  }
  dropFile(journal);
  return true;
}

/** SECURITY: only root writes in the state folder, so what stands there is our own. */
function readJournal(path: string): readonly Move[] {
  try {
    return JOURNAL.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return [];
  }
}
