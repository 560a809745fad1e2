/** Returns the words of a line of a shell without expanding anything: quotes group, `|`, `<(` and `)` part. */
export function wordsOf(line: string): string[] {
  const words: string[] = [];
  for (const [, single, double, mark, bare] of line.matchAll(
    /'([^']*)'|"([^"]*)"|(<\(|\)|\||>\S*)|([^\s'"|()<>]+)/g,
  )) {
    words.push(single ?? double ?? mark ?? bare ?? "");
  }
  return words;
}
