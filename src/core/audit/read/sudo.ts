/** Text of `sudo -l -U USER` (sudo(8)). */

/** Returns the rules that sudo names for a user: `(root) NOPASSWD: /usr/bin/systemctl restart openclaw`. */
export function parseSudoList(text: string): string[] {
  const start = text.indexOf("may run the following commands");
  if (start === -1) return [];
  return text
    .slice(start)
    .split("\n")
    .slice(1)
    .map((line) => line.trim())
    .filter((line) => line.startsWith("("));
}
