import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type Diagnostic, FILE_START } from "../../core/base/diagnostic.ts";
import { SeawallError } from "../../core/base/error.ts";
import { parsePrefixList } from "../../core/net/prefix-list.ts";
import type { PrefixSet } from "../../core/net/prefix-set.ts";
import type { DropIn, PolicyDocument, SetEntry } from "../../core/policy/document.ts";
import { shown } from "../../core/policy/parse/node.ts";
import { DROP_INS_MAX } from "../../core/policy/parse/vocabulary.ts";
import { fileError } from "./file-error.ts";

/** LIMIT: a file of prefixes. */
export const SET_FILE_BYTES_MAX = 16 * 1024 * 1024;
export const SET_FILE_PREFIXES_MAX = 500_000;
/** Read one byte more than a policy may have, so that the parser can say that it is too long. */
const POLICY_READ_BYTES_MAX = 1024 * 1024 + 1;

/** Returns the text of a policy file. Refuses what is missing, unreadable or no regular file. */
export function readPolicyText(path: string): string {
  try {
    return readBeginning(path);
  } catch (cause) {
    if (cause instanceof SeawallError) throw cause;
    throw fileError("read", path, cause);
  }
}

function readBeginning(path: string): string {
  // A named pipe must not make us wait for its writer.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!fstatSync(file).isFile()) {
      throw new SeawallError("SEAWALL_NOT_FOUND", `\`${path}\` is not a regular file`);
    }
    const bytes = Buffer.alloc(POLICY_READ_BYTES_MAX);
    let length = 0;
    for (let got = -1; got !== 0 && length < bytes.length; length += got) {
      got = readSync(file, bytes, length, bytes.length - length, null);
    }
    return bytes.toString("utf8", 0, length);
  } finally {
    closeSync(file);
  }
}

const FOLDER = "policy.d";

/**
 * Returns what stands in `policy.d` beside a policy: every `*.yaml` that is a regular file, in the order of the
 * bytes of their names, at most DROP_INS_MAX. What looks like a drop-in and is not read is said. Files whose
 * name begins with a dot are left alone: editors keep theirs so. Refuses a folder or file that cannot be read.
 */
export function readDropIns(policyPath: string): {
  readonly dropIns: readonly DropIn[];
  readonly diagnostics: readonly Diagnostic[];
} {
  const folder = join(dirname(policyPath), FOLDER);
  const diagnostics: Diagnostic[] = [];
  const names: string[] = [];
  for (const name of namesIn(folder)) {
    const problem = dropInProblem(folder, name);
    if (problem === null) names.push(name);
    else diagnostics.push(said(name, "warning", "not-read", problem, null));
  }
  const extra = names[DROP_INS_MAX];
  if (extra !== undefined) {
    const message = `${shown(FOLDER)} holds ${names.length} files, at most ${DROP_INS_MAX} are read`;
    diagnostics.push(said(extra, "error", "too-many-drop-ins", message, "join files that belong together"));
  }
  const dropIns = names
    .slice(0, DROP_INS_MAX)
    .map((name) => ({ file: `${FOLDER}/${name}`, text: readPolicyText(join(folder, name)) }));
  return { dropIns, diagnostics };
}

function namesIn(folder: string): string[] {
  let names: Buffer[];
  try {
    names = readdirSync(folder, "buffer");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return [];
    throw fileError("read", folder, cause);
  }
  return names
    .sort((left, right) => Buffer.compare(left, right))
    .map((name) => name.toString("utf8"))
    .filter((name) => !name.startsWith(".") && /\.ya?ml$/i.test(name));
}

/** Why a file is not read; null when it is. */
function dropInProblem(folder: string, name: string): string | null {
  if (!name.endsWith(".yaml")) return "the file is not read: the name of a drop-in ends in `.yaml`";
  const found = statSync(join(folder, name), { throwIfNoEntry: false });
  // A link that leads nowhere is refused when it is read.
  return found === undefined || found.isFile() ? null : "the file is not read: it is not a regular file";
}

function said(
  name: string,
  severity: "error" | "warning",
  code: string,
  message: string,
  help: string | null,
): Diagnostic {
  const span = { file: `${FOLDER}/${name}`, ...FILE_START };
  return { code: `policy/${code}`, severity, message, help, span };
}

/** Returns the sets that the document keeps in files (one prefix a line, `#` comments), relative to the file that names them. */
export function readSetFiles(
  document: PolicyDocument,
  policyPath: string,
): { readonly sets: ReadonlyMap<string, PrefixSet>; readonly diagnostics: readonly Diagnostic[] } {
  const sets = new Map<string, PrefixSet>();
  const diagnostics: Diagnostic[] = [];
  for (const entry of document.sets) {
    if (entry.file === null) continue;
    const beside = resolve(dirname(policyPath), dirname(entry.span.file ?? ""));
    const read = readSetFile(resolve(beside, entry.file), entry);
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
  const parsed = parsePrefixList(text);
  // What stands there is not shown: the file may be any file.
  if (!parsed.ok) return problem(`set file \`${path}\` line ${parsed.line}: no address or prefix`, null);
  if (parsed.count > SET_FILE_PREFIXES_MAX) {
    return problem(`set file \`${path}\` has more than ${SET_FILE_PREFIXES_MAX} prefixes`, null);
  }
  return { ok: true, set: parsed.set };
}
