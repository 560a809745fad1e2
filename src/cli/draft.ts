/** The policy as it stands in its file, beside what is in force: read in silence, and never taken for what is so. */
import { existsSync } from "node:fs";
import { SeawallError } from "../core/base/error.ts";
import type { ResolvedPolicy } from "../core/policy/resolved.ts";
import type { CommandContext } from "./command.ts";
import { checkWritten, policyPath, readPolicy, type WrittenPolicy } from "./policy.ts";

export type Draft =
  | { readonly kind: "usable"; readonly written: WrittenPolicy; readonly policy: ResolvedPolicy }
  /** It is there and cannot be applied as it is. */
  | { readonly kind: "unusable"; readonly path: string };

/**
 * Returns the file that the next `seawall apply` reads: the installed one, or, where there is none, the one that was
 * applied. Null when neither is there.
 */
export function draftBeside(context: CommandContext, applied: string | null): Draft | null {
  const installed = policyPath(context, undefined);
  const path = [installed, applied].find((one) => one !== null && existsSync(one));
  return path === undefined || path === null ? null : readDraft(context, path);
}

/** Returns what a file says. */
export function readDraft(context: CommandContext, path: string): Draft {
  try {
    const written = readPolicy(context, path);
    const { policy } = checkWritten(written, context.nowMs());
    return policy === null ? { kind: "unusable", path } : { kind: "usable", written, policy };
  } catch (cause) {
    if (!(cause instanceof SeawallError)) throw cause;
    return { kind: "unusable", path };
  }
}
