import { lstatSync, realpathSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { comparePlaces, type Diagnostic, hasError } from "../core/base/diagnostic.ts";
import { SeawallError } from "../core/base/error.ts";
import { checkPolicy, type PolicyCheck } from "../core/policy/check.ts";
import type { DropIn, PolicyDocument } from "../core/policy/document.ts";
import type { ResolvedPolicy } from "../core/policy/resolved.ts";
import { MAIN_FILE } from "../core/policy/parse/vocabulary.ts";
import { readDropIns, readPolicyText, readSetFiles } from "../edge/host/policy-file.ts";
import { foldersOf } from "../edge/state/folder.ts";
import type { CommandContext } from "./command.ts";
import { renderDiagnostics } from "./render/diagnostic.ts";

/** A policy as it is written: the main file, and what stands beside it. */
export interface WrittenPolicy {
  readonly path: string;
  readonly text: string;
  /** The files of policy.d in their order. */
  readonly dropIns: readonly DropIn[];
  /** What is wrong with policy.d itself. */
  readonly diagnostics?: readonly Diagnostic[];
}

export interface LoadedPolicy {
  readonly path: string;
  readonly text: string;
  readonly dropIns: readonly DropIn[];
  readonly document: PolicyDocument;
  readonly policy: ResolvedPolicy;
}

/** Returns the file to use: the one named, else policy.yaml of the configuration folder. */
export function policyPath(context: CommandContext, named: string | undefined): string {
  if (named !== undefined) return resolve(context.cwd, named);
  return resolve(context.cwd, foldersOf(context.env).config, MAIN_FILE);
}

/** Returns what is written in a file; the policy of the configuration folder comes with its policy.d. */
export function readPolicy(context: CommandContext, named: string | undefined): WrittenPolicy {
  const path = policyPath(context, named);
  const isOurs = isConfigured(context, path);
  if (isOurs && isMissing(path)) throw noPolicyYet(path);
  const text = readPolicyText(path);
  return isOurs ? { path, text, ...readDropIns(path) } : { path, text, dropIns: [] };
}

/** Before the first `init` there is no policy, and that is not a file that somebody has lost. */
function noPolicyYet(path: string): SeawallError {
  return new SeawallError("SEAWALL_NOT_FOUND", `there is no policy yet (\`${path}\`)`, {
    still: "nothing was changed",
    help: "sudo seawall init",
  });
}

/** Whether nothing stands there; what cannot be looked at is not known to be missing. */
function isMissing(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

/** Whether a path leads to policy.yaml of the configuration folder, by whatever links. */
function isConfigured(context: CommandContext, path: string): boolean {
  if (basename(path) !== MAIN_FILE) return false;
  return realPath(dirname(path)) === realPath(dirname(policyPath(context, undefined)));
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** Returns the meaning of what is written and everything found in it. */
export function checkWritten(written: WrittenPolicy, nowMs: number): PolicyCheck {
  const { path, text, dropIns, diagnostics = [] } = written;
  const check = checkPolicy(text, { nowMs, dropIns, readSets: (document) => readSetFiles(document, path) });
  if (diagnostics.length === 0) return check;
  const all = [...diagnostics, ...check.diagnostics].sort((left, right) =>
    comparePlaces(left.span, right.span),
  );
  return { ...check, policy: hasError(diagnostics) ? null : check.policy, diagnostics: all };
}

/** Returns the policy of a file; what is wrong with it goes to stderr, and errors refuse it. */
export function loadPolicy(context: CommandContext, named: string | undefined): LoadedPolicy {
  const written = readPolicy(context, named);
  const { path, text, dropIns } = written;
  const check = checkWritten(written, context.nowMs());
  const spoken = check.diagnostics.filter(({ severity }) => severity !== "notice");
  if (spoken.length > 0) context.err(renderDiagnostics(spoken, text, path, false, dropIns));
  if (check.policy === null || check.document === null) {
    throw new SeawallError("SEAWALL_POLICY", `the policy \`${path}\` cannot be used`, {
      still: "nothing was changed",
      help: `seawall policy check ${path}`,
    });
  }
  return { path, text, dropIns, document: check.document, policy: check.policy };
}
