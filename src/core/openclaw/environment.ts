import { type JsonObject, objectAt } from "./json.ts";

/** Variables of an instance by name. Values are secrets: only those that stand in an address are looked at. */
export type Variables = ReadonlyMap<string, string>;

/** LIMIT: lines of an environment file that are read. */
const LINES_MAX = 2_000;

/** Returns the variables of an environment file (`NAME=value`, `export`, quotes, `#`). Other lines are left out. */
export function parseEnvironmentFile(text: string): Variables {
  const found = new Map<string, string>();
  for (const line of text.split("\n", LINES_MAX)) {
    const match = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]{0,127})\s*=\s*(.*?)\s*$/.exec(line);
    if (match === null) continue;
    const [, name = "", value = ""] = match;
    const quoted = /^(["'])(.*)\1$/.exec(value);
    found.set(name, quoted?.[2] ?? value.replace(/\s+#.*$/, ""));
  }
  return found;
}

/** Returns the variables of the configuration's own `env` block: `env.NAME` and `env.vars.NAME`. */
export function configuredVariables(root: JsonObject): Variables {
  const found = new Map<string, string>();
  for (const block of [objectAt(root, "env"), objectAt(root, "env", "vars")]) {
    for (const [name, value] of block) {
      if (typeof value === "string" && /^[A-Z_][A-Z0-9_]{0,127}$/.test(name)) found.set(name, value);
    }
  }
  return found;
}

/**
 * Returns the text with every `${NAME}` replaced (upper-case names, `$${` escapes), or null when a variable is
 * not known.
 */
export function substitute(text: string, variables: Variables): string | null {
  let known = true;
  const replaced = text.replaceAll(/\$?\$\{([A-Z_][A-Z0-9_]*)\}/g, (whole, name: string) => {
    if (whole.startsWith("$$")) return whole.slice(1);
    const value = variables.get(name);
    if (value === undefined) known = false;
    return value ?? "";
  });
  return known ? replaced : null;
}
