/** Text of UFW's own files (ufw-framework(8)). */

/** Returns the rules that ufw notes beside its iptables lines: `allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in`. */
export function parseUfwRules(text: string): string[] {
  return [...text.matchAll(/^### tuple ### (.+?)(?: comment=\S*)?$/gm)].map((match) => match[1] ?? "");
}

/** Returns the value of `NAME=value` or `NAME="value"` in a file of shell settings, or "". The last one counts. */
export function shellSetting(text: string, name: string): string {
  const found = [...text.matchAll(/^\s*([A-Za-z_]\w*)=(["']?)(.*?)\2\s*(?:#.*)?$/gm)].filter(
    (match) => match[1] === name,
  );
  return found.at(-1)?.[3] ?? "";
}
