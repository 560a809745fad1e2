import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Diagnostic } from "../../core/base/diagnostic.ts";
import { SeawallError } from "../../core/base/error.ts";
import { parsePrefix, type Prefix } from "../../core/net/prefix.ts";
import { type PrefixSet, prefixSetOf } from "../../core/net/prefix-set.ts";
import type { PolicyDocument, SetEntry } from "../../core/policy/document.ts";

/** LIMIT: a file of prefixes. */
export const SET_FILE_BYTES_MAX = 16 * 1024 * 1024;
export const SET_FILE_PREFIXES_MAX = 500_000;
/** Read one byte more than a policy may have, so that the parser can say that it is too long. */
const POLICY_READ_BYTES_MAX = 1024 * 1024 + 1;

/** Returns the text of a policy file. Refuses what is missing, unreadable or no regular file. */
export function readPolicyText(path: string): string {
  try {
    if (!statSync(path).isFile()) {
      throw new SeawallError("SEAWALL_NOT_FOUND", `\`${path}\` is not a regular file`);
    }
    return readFileSync(path).subarray(0, POLICY_READ_BYTES_MAX).toString("utf8");
  } catch (cause) {
    if (cause instanceof SeawallError) throw cause;
    throw new SeawallError("SEAWALL_NOT_FOUND", `cannot read the policy \`${path}\``, {
      help: "seawall policy check FILE",
      cause,
    });
  }
}

/** Returns the sets that the document keeps in files (one prefix a line, `#` comments), relative to the policy. */
export function readSetFiles(
  document: PolicyDocument,
  policyPath: string,
): { readonly sets: ReadonlyMap<string, PrefixSet>; readonly diagnostics: readonly Diagnostic[] } {
  const sets = new Map<string, PrefixSet>();
  const diagnostics: Diagnostic[] = [];
  for (const entry of document.sets) {
    if (entry.file === null) continue;
    const read = readSetFile(resolve(dirname(policyPath), entry.file), entry);
    if (read.ok) sets.set(entry.name, read.set);
    else diagnostics.push(read.diagnostic);
  }
  return { sets, diagnostics };
}

function readSetFile(
  path: string,
  entry: SetEntry,
): { readonly ok: true; readonly set: PrefixSet } | { readonly ok: false; readonly diagnostic: Diagnostic } {
  const problem = (message: string, help: string | null) =>
    ({
      ok: false,
      diagnostic: { code: "policy/set-file", severity: "error", message, help, span: entry.span },
    }) as const;
  let text: string;
  try {
    const found = statSync(path);
    if (!found.isFile()) return problem(`set file \`${path}\` is not a regular file`, null);
    if (found.size > SET_FILE_BYTES_MAX) {
      return problem(
        `set file \`${path}\` has ${found.size} bytes, at most ${SET_FILE_BYTES_MAX} are read`,
        null,
      );
    }
    text = readFileSync(path, "utf8");
  } catch {
    return problem(`set file \`${path}\` cannot be read`, "a path is relative to the policy file");
  }
  const prefixes: Prefix[] = [];
  let number = 0;
  for (const line of text.split("\n")) {
    number += 1;
    const hash = line.indexOf("#");
    const word = (hash < 0 ? line : line.slice(0, hash)).trim();
    if (word === "") continue;
    const parsed = parsePrefix(word);
    if (!parsed.ok) {
      return problem(
        `set file \`${path}\` line ${number}: \`${word.slice(0, 60)}\` is no address or prefix`,
        null,
      );
    }
    prefixes.push(parsed.prefix);
    if (prefixes.length > SET_FILE_PREFIXES_MAX) {
      return problem(`set file \`${path}\` has more than ${SET_FILE_PREFIXES_MAX} prefixes`, null);
    }
  }
  return { ok: true, set: prefixSetOf(prefixes) };
}
