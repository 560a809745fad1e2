/** One configuration out of its files: `$include` anywhere, as OpenClaw reads it. */
import { posix } from "node:path";
import { isObject, type JsonObject, type JsonValue, parseJson5 } from "./json.ts";
import { shownPath } from "./shown.ts";

/** LIMIT: how far files may include each other; OpenClaw's own limit. */
export const INCLUDE_DEPTH_MAX = 10;
/** LIMIT: files read for one configuration, a file read twice counted twice. */
export const INCLUDE_FILES_MAX = 64;
/** LIMIT: characters of all files of one configuration together. */
export const INCLUDE_CHARS_MAX = 4 * 1024 * 1024;

export type FileRead =
  | { readonly ok: true; readonly text: string }
  /** `isMissing`: there is no such file; else it is there and was not read. */
  | { readonly ok: false; readonly problem: string; readonly isMissing?: boolean };

export interface Assembly {
  /** Null when the main file cannot be used. */
  readonly root: JsonObject | null;
  /** The files that were read, the main one first. */
  readonly files: readonly string[];
  /** What could not be read: what is needed may then be more than what is known. */
  readonly problems: readonly string[];
  /** Those of them for which OpenClaw refuses the whole configuration too, and does not start. */
  readonly refusals: readonly string[];
  /** Whether there is no main file: OpenClaw then goes by its defaults. */
  readonly isMissing: boolean;
}

interface Reading {
  readonly folder: string;
  readonly read: (path: string) => FileRead;
  readonly files: string[];
  readonly problems: string[];
  readonly refusals: string[];
  isMissing: boolean;
  chars: number;
}

/**
 * Returns the configuration whose main file is `path`. An included file stands relative to the one that names
 * it; lists are joined, objects merged, and the keys beside `$include` win. A file outside the folder of the
 * main one is not read, nor is one that includes itself: both are said in `problems`.
 */
export function assembleConfiguration(path: string, read: (path: string) => FileRead): Assembly {
  const reading: Reading = {
    folder: posix.dirname(path),
    read,
    files: [],
    problems: [],
    refusals: [],
    isMissing: false,
    chars: 0,
  };
  const root = readFile(reading, path, []);
  if (root !== undefined && !isObject(root)) refuse(reading, `${shownPath(path)} holds no object`);
  return {
    root: isObject(root) ? root : null,
    files: [...new Set(reading.files)],
    problems: [...new Set(reading.problems)],
    refusals: [...new Set(reading.refusals)],
    isMissing: reading.isMissing,
  };
}

/** Notes a problem that OpenClaw has with it too. */
function refuse(reading: Reading, problem: string): undefined {
  reading.problems.push(problem);
  reading.refusals.push(problem);
  return undefined;
}

function readFile(reading: Reading, path: string, chain: readonly string[]): JsonValue | undefined {
  const problem = (why: string): undefined => {
    reading.problems.push(`${shownPath(path)} ${why}`);
    return undefined;
  };
  const refused = (why: string): undefined => refuse(reading, `${shownPath(path)} ${why}`);
  if (chain.includes(path)) return refused("includes itself");
  if (chain.length > INCLUDE_DEPTH_MAX)
    return refused(`is included more than ${INCLUDE_DEPTH_MAX} files deep`);
  if (reading.files.length >= INCLUDE_FILES_MAX) {
    return problem(`is not read: more than ${INCLUDE_FILES_MAX} files are included`);
  }
  const file = reading.read(path);
  if (!file.ok) {
    if (chain.length === 0) reading.isMissing = file.isMissing === true;
    return file.isMissing === true && chain.length > 0 ? refused(file.problem) : problem(file.problem);
  }
  reading.files.push(path);
  reading.chars += file.text.length;
  if (reading.chars > INCLUDE_CHARS_MAX)
    return problem(`makes more than ${INCLUDE_CHARS_MAX} characters in all`);
  const parsed = parseJson5(file.text);
  if (parsed.ok) return included(reading, parsed.value, path, [...chain, path]);
  return parsed.isLimit ? problem(parsed.problem) : refused(parsed.problem);
}

/** Replaces every `$include` in a value by what the files hold. */
function included(reading: Reading, value: JsonValue, path: string, chain: readonly string[]): JsonValue {
  if (typeof value !== "object" || value === null) return value;
  if (!isObject(value)) return value.map((item) => included(reading, item, path, chain));
  const own = new Map<string, JsonValue>();
  for (const [key, item] of value) if (key !== "$include") own.set(key, included(reading, item, path, chain));
  const names = value.get("$include");
  if (names === undefined) return own;
  let merged: JsonValue | undefined;
  for (const name of Array.isArray(names) ? names : [names]) {
    const beside = readBeside(reading, name, path, chain);
    if (beside !== undefined) merged = merged === undefined ? beside : merge(merged, beside);
  }
  if (merged === undefined) return own;
  return own.size === 0 ? merged : merge(merged, own);
}

function readBeside(
  reading: Reading,
  name: JsonValue,
  path: string,
  chain: readonly string[],
): JsonValue | undefined {
  if (typeof name !== "string" || name === "" || name.includes("\0")) {
    return refuse(reading, `${shownPath(path)} has an \`$include\` that names no file`);
  }
  const target = posix.normalize(posix.isAbsolute(name) ? name : posix.join(posix.dirname(path), name));
  // SECURITY: what the agent writes must not point root at files elsewhere.
  if (!target.startsWith(`${reading.folder === "/" ? "" : reading.folder}/`)) {
    return refuse(reading, `${shownPath(target)} is outside the configuration's folder and was not read`);
  }
  return readFile(reading, target, chain);
}

/** Objects merge, lists are joined, anything else is replaced by the later one. */
function merge(earlier: JsonValue, later: JsonValue): JsonValue {
  if (Array.isArray(earlier) && Array.isArray(later)) return [...earlier, ...later];
  if (!isObject(earlier) || !isObject(later)) return later;
  const merged = new Map(earlier);
  for (const [key, value] of later) {
    const before = merged.get(key);
    merged.set(key, before === undefined ? value : merge(before, value));
  }
  return merged;
}
