import { resolve } from "node:path";
import { SeawallError } from "../core/base/error.ts";
import { checkPolicy, type PolicyCheck } from "../core/policy/check.ts";
import type { PolicyDocument } from "../core/policy/document.ts";
import type { ResolvedPolicy } from "../core/policy/resolved.ts";
import { readPolicyText, readSetFiles } from "../edge/host/policy-file.ts";
import { foldersOf } from "../edge/state/folder.ts";
import type { CommandContext } from "./command.ts";
import { renderDiagnostics } from "./render/diagnostic.ts";

export interface LoadedPolicy {
  readonly path: string;
  readonly text: string;
  readonly document: PolicyDocument;
  readonly policy: ResolvedPolicy;
}

/** Returns the file to use: the one named, else policy.yaml of the configuration folder. */
export function policyPath(context: CommandContext, named: string | undefined): string {
  if (named !== undefined) return resolve(context.cwd, named);
  return resolve(context.cwd, foldersOf(context.env).config, "policy.yaml");
}

export function checkFile(path: string, text: string, nowMs: number): PolicyCheck {
  return checkPolicy(text, { nowMs, readSets: (document) => readSetFiles(document, path) });
}

/** Returns the policy of a file; what is wrong with it goes to stderr, and errors refuse it. */
export function loadPolicy(context: CommandContext, named: string | undefined): LoadedPolicy {
  const path = policyPath(context, named);
  const text = readPolicyText(path);
  const check = checkFile(path, text, context.nowMs());
  const spoken = check.diagnostics.filter(({ severity }) => severity !== "notice");
  if (spoken.length > 0) context.err(renderDiagnostics(spoken, text, path, false));
  if (check.policy === null || check.document === null) {
    throw new SeawallError("SEAWALL_POLICY", `the policy \`${path}\` cannot be used`, {
      still: "nothing was changed",
      help: `seawall policy check ${path}`,
    });
  }
  return { path, text, document: check.document, policy: check.policy };
}
