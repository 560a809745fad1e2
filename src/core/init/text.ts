/** Lines of the policy that `init` writes. Whatever is not ours passes through here before it stands in YAML. */

/** Columns of a comment. */
const COLUMNS_MAX = 110;
/** Words that YAML 1.2 and its readers take for something else than text. */
const NOT_TEXT = new Set(["true", "false", "null", "yes", "no", "on", "off", "y", "n"]);

/**
 * Returns a comment of as many lines as it needs. SECURITY: a line break or control character would end the
 * comment and begin YAML, so only printable ASCII is left.
 */
export function comment(text: string, indent = ""): string[] {
  const words = printable(text)
    .split(/ +/)
    .filter((word) => word !== "");
  const lines: string[] = [];
  let line = `${indent}#`;
  for (const word of words) {
    if (line.length + 1 + word.length > COLUMNS_MAX && line !== `${indent}#`) {
      lines.push(line);
      line = `${indent}#`;
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

/** Returns a term as YAML text: plain where that is surely text, else in double quotes. */
export function term(text: string | number): string {
  if (typeof text === "number") return String(text);
  const isPlain = /^[A-Za-z_][A-Za-z0-9_.@-]*$/.test(text) || /^(?:\d{1,3}\.){3}\d{1,3}$/.test(text);
  const isHostname = /^[a-z0-9_][a-z0-9_.-]*\.[a-z][a-z0-9-]*$/.test(text);
  return (isPlain || isHostname) && !NOT_TEXT.has(text.toLowerCase())
    ? text
    : JSON.stringify(printable(text));
}

/** Returns `term` for one, `[a, b]` for several. */
export function terms(list: readonly (string | number)[]): string {
  const [only] = list;
  return list.length === 1 && only !== undefined ? term(only) : `[${list.map(term).join(", ")}]`;
}

function printable(text: string): string {
  return text.replaceAll(/[^ -~]/g, "?");
}
