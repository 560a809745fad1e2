import JSON5 from "json5";

/** A value of a configuration. Objects are maps: `__proto__` is a key like any other. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export type JsonObject = ReadonlyMap<string, JsonValue>;

/** LIMIT: characters of one configuration file; OpenClaw's own are below 100 KB. */
export const JSON_CHARS_MAX = 1024 * 1024;
/** LIMIT: how deep values may stand in each other. */
export const JSON_DEPTH_MAX = 64;
/** LIMIT: values in one file, objects and lists counted too. */
export const JSON_VALUES_MAX = 100_000;

export type JsonParse =
  | { readonly ok: true; readonly value: JsonValue }
  /** `isLimit`: it may well be JSON5, and is more than is read here. */
  | { readonly ok: false; readonly problem: string; readonly isLimit: boolean };

/**
 * Returns the value that a JSON5 text spells (spec.json5.org, as OpenClaw reads it). Refuses text over
 * JSON_CHARS_MAX, deeper than JSON_DEPTH_MAX, with more than JSON_VALUES_MAX values, or that is no JSON5. The
 * problem never repeats what stands in the text: it may be a secret.
 */
export function parseJson5(text: string): JsonParse {
  if (text.length > JSON_CHARS_MAX) {
    return { ok: false, problem: `has more than ${JSON_CHARS_MAX} characters`, isLimit: true };
  }
  let raw: unknown;
  try {
    // The library talks to the console about line separators in texts; written as escapes they are the same.
    raw = JSON5.parse<unknown>(escapeSeparators(text.replace(/^\uFEFF/, "")));
  } catch (cause) {
    return { ok: false, problem: `is no JSON5${placeOf(cause)}`, isLimit: false };
  }
  const budget = { values: JSON_VALUES_MAX };
  const value = mapped(raw, JSON_DEPTH_MAX, budget);
  if (value !== undefined) return { ok: true, value };
  const limit =
    budget.values < 0 ? `more than ${JSON_VALUES_MAX} values` : `more than ${JSON_DEPTH_MAX} levels`;
  return { ok: false, problem: `has ${limit}`, isLimit: true };
}

/** Writes the separators U+2028 and U+2029 inside texts as escapes, but for one that continues a line. */
function escapeSeparators(text: string): string {
  if (!SEPARATOR.test(text)) return text;
  const parts: string[] = [];
  let [quote, from] = ["", 0];
  // INVARIANT: each character is looked at once; whoever wrote the text chose it.
  for (let index = 0; index < text.length; index += 1) {
    const char = text[index] ?? "";
    if (quote === "") {
      if (char === '"' || char === "'") quote = char;
      else if (char === "/") index = endOfComment(text, index);
    } else if (char === "\\") index += 1;
    else if (char === quote) quote = "";
    else if (SEPARATOR.test(char)) {
      parts.push(text.slice(from, index), char === "\u2028" ? "\\u2028" : "\\u2029");
      from = index + 1;
    }
  }
  return parts.join("") + text.slice(from);
}

const SEPARATOR = /[\u2028\u2029]/;

/** The last character of the comment that begins here; here, where none does. */
function endOfComment(text: string, start: number): number {
  if (text[start + 1] === "*") {
    const end = text.indexOf("*/", start + 2);
    return end === -1 ? text.length : end + 1;
  }
  if (text[start + 1] !== "/") return start;
  let index = start;
  while (index + 1 < text.length && !/[\n\r\u2028\u2029]/.test(text[index + 1] ?? "")) index += 1;
  return index;
}

function placeOf(cause: unknown): string {
  if (!(cause instanceof SyntaxError) || !("lineNumber" in cause) || !("columnNumber" in cause)) return "";
  return ` (line ${Number(cause.lineNumber)}, column ${Number(cause.columnNumber)})`;
}

function mapped(raw: unknown, depth: number, budget: { values: number }): JsonValue | undefined {
  budget.values -= 1;
  if (depth < 0 || budget.values < 0) return undefined;
  if (typeof raw === "string" || typeof raw === "boolean" || typeof raw === "number" || raw === null)
    return raw;
  if (Array.isArray(raw)) {
    const list: JsonValue[] = [];
    for (const item of raw) {
      const value = mapped(item, depth - 1, budget);
      if (value === undefined) return undefined;
      list.push(value);
    }
    return list;
  }
  const object = new Map<string, JsonValue>();
  for (const [key, item] of Object.entries(raw ?? {})) {
    const value = mapped(item, depth - 1, budget);
    if (value === undefined) return undefined;
    object.set(key, value);
  }
  return object;
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return value instanceof Map;
}

/** Returns what stands under a line of keys, or undefined. */
export function at(value: JsonValue | undefined, ...keys: readonly string[]): JsonValue | undefined {
  let here = value;
  for (const key of keys) here = isObject(here) ? here.get(key) : undefined;
  return here;
}

/** Returns the text under a line of keys, or null when there is none or it is empty. */
export function textAt(value: JsonValue | undefined, ...keys: readonly string[]): string | null {
  const found = at(value, ...keys);
  return typeof found === "string" && found !== "" ? found : null;
}

/** Returns the object under a line of keys; an empty one when there is none. */
export function objectAt(value: JsonValue | undefined, ...keys: readonly string[]): JsonObject {
  const found = at(value, ...keys);
  return isObject(found) ? found : NOTHING;
}

const NOTHING: JsonObject = new Map();

/** Whether something is switched off by its own `enabled: false`. */
export function isOff(value: JsonValue | undefined): boolean {
  return at(value, "enabled") === false;
}
