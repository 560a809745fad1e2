/** Whether the policy file still says what is in force: an edit, a rollback or a trial that ran out part them. */
import { existsSync } from "node:fs";
import type { InForce } from "../apply/in-force.ts";
import { readHistoryEntry } from "../edge/state/history-entry.ts";
import { policyHash, type PolicyTexts } from "../edge/state/history.ts";
import { foldersOf } from "../edge/state/folder.ts";
import type { CommandContext } from "./command.ts";
import { policyPath, readPolicy } from "./policy.ts";
import { SeawallError } from "../core/base/error.ts";

/** One file beside what is in force. */
export interface FileAndForce {
  readonly path: string;
  /** Whether the next `seawall apply` without a file reads it. */
  readonly isInstalled: boolean;
  readonly state:
    | "same"
    /** It means something else; `changes` says how much. */
    | "differs"
    /** It cannot be applied as it is. */
    | "unusable"
    | "absent"
    /** Nobody can tell what is in force, so nothing can be compared. */
    | "not-known";
  /** How many things an apply would change; null where nobody can count. */
  readonly changes: number | null;
  /** What it would change, in one line; null where nobody can tell. */
  readonly summary: string | null;
}

/**
 * Returns the installed file and, where what is in force was read from another, that one too. The policy is read and
 * resolved only where its bytes, or those of its files of prefixes, may say something else.
 */
export async function filesBeside(
  context: CommandContext,
  policy: { readonly id: number; readonly path: string } | null,
  force: () => InForce,
): Promise<FileAndForce[]> {
  const installed = policyPath(context, undefined);
  const paths = policy === null || policy.path === installed ? [installed] : [installed, policy.path];
  const files: FileAndForce[] = [];
  for (const path of paths) {
    // Where nothing was ever installed there, another file that was applied is all there is.
    if (path === installed && paths.length > 1 && !existsSync(path)) continue;
    files.push(await compare(context, path, path === installed, policy?.id, force));
  }
  return files;
}

async function compare(
  context: CommandContext,
  path: string,
  isInstalled: boolean,
  id: number | undefined,
  force: () => InForce,
): Promise<FileAndForce> {
  const plain = { path, isInstalled, changes: null, summary: null };
  if (!existsSync(path)) return { ...plain, state: "absent" };
  const entry = readHistoryEntry(foldersOf(context.env).state, id);
  const texts = textsOf(context, path);
  if (texts !== null && entry?.sha256 === policyHash(texts) && !mayReadFiles(texts)) {
    return { ...plain, state: "same", changes: 0 };
  }
  const { readDraft } = await import("./draft.ts");
  const { changeBetween, changeCount, changeWords } = await import("../core/policy/change-summary.ts");
  const draft = readDraft(context, path);
  if (draft.kind === "unusable") return { ...plain, state: "unusable" };
  const inForce = force();
  switch (inForce.kind) {
    case "judging": {
      // A panic and a pause stand for the policy behind them, which is not what they do.
      if (inForce.reason !== "policy") return { ...plain, state: "differs" };
      const changes = changeCount(changeBetween(inForce.whole, draft.policy));
      const summary = changeWords(inForce.whole, draft.policy);
      return { ...plain, state: changes === 0 ? "same" : "differs", changes, summary };
    }
    case "off":
    case "rescued":
      return { ...plain, state: "differs", summary: changeWords(null, draft.policy) };
    case "unknown":
      return { ...plain, state: "not-known" };
  }
}

function textsOf(context: CommandContext, path: string): PolicyTexts | null {
  try {
    return readPolicy(context, path);
  } catch (cause) {
    if (!(cause instanceof SeawallError)) throw cause;
    return null;
  }
}

/** A file of prefixes may have changed though no byte of the policy did. */
function mayReadFiles({ text, dropIns }: PolicyTexts): boolean {
  return [text, ...dropIns.map((dropIn) => dropIn.text)].some((one) => /\bfile\b/.test(one));
}
