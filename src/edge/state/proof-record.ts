/** What `prove` and `probe` tried themselves, kept by root so that the log can tell it from the agent's own traffic. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { ProofRun } from "../../core/event/proof.ts";
import { makeFolder } from "./folder.ts";
import { replaceFile } from "./replace-file.ts";

const FILE = "prove.json";
/** LIMIT: runs that are kept; what an older one tried is shown again. */
const RUNS_MAX = 50;

const RUNS = z.array(
  z.strictObject({
    scope: z.string(),
    nonce: z.string(),
    fromMs: z.number(),
    toMs: z.number(),
    sockets: z.array(
      z.strictObject({
        protocol: z.int(),
        address: z.string(),
        port: z.int(),
        sourcePort: z.int(),
        fromMs: z.number(),
        toMs: z.number(),
      }),
    ),
  }),
);

/** Returns the runs, oldest first; none when the record is not there or not one: then everything is shown. */
export function readProofRuns(state: string): readonly ProofRun[] {
  try {
    return RUNS.parse(JSON.parse(readFileSync(join(state, FILE), "utf8")));
  } catch {
    return [];
  }
}

/** Adds a run. Returns why it could not be written, or null. */
export function keepProofRun(state: string, run: ProofRun): string | null {
  try {
    makeFolder(state);
    replaceFile(join(state, FILE), JSON.stringify([...readProofRuns(state), run].slice(-RUNS_MAX)));
    return null;
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  }
}
