/** Lines of the screen that may be long: a word, then text in the columns behind it. */

/** Columns of a terminal that every screen fits. */
const COLUMNS = 80;
const WORD_COLUMNS = 15;

/** Returns `WORD  text`, folded between words; a word that is longer than a line stays whole. */
export function folded(word: string, text: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const one of text.split(" ")) {
    const longer = line === "" ? one : `${line} ${one}`;
    if (line !== "" && WORD_COLUMNS + longer.length > COLUMNS) {
      lines.push(line);
      line = one;
    } else line = longer;
  }
  lines.push(line);
  return lines.map((each, at) => `${(at === 0 ? word : "").padEnd(WORD_COLUMNS)}${each}`);
}
