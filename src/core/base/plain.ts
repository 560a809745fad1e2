/**
 * The one rule for text of strangers (names, paths, messages of other programs, what a log holds) on a terminal: it
 * moves no cursor, ends no line, changes no colour, title or direction, and hides nothing of what stands around it.
 */

/** Controls, format and direction characters, separators of lines, lone surrogates, what has no character. */
const UNSHOWABLE = String.raw`\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}`;
const IN_A_WORD = new RegExp(`[${UNSHOWABLE}]`, "gu");
/** Line ends and tabs are ours where whole lines are written. */
const IN_LINES = new RegExp(`(?![\\n\\t])[${UNSHOWABLE}]`, "gu");
/** What a terminal may be told by us: bold, faint, colours, and their end; nothing that hides text. */
const STYLE = /(\u001b\[(?:[012]|3[0-7]|9[0-7])m)/;
/** LIMIT: marks on one letter; more of them run over the lines above and below. */
const MARKS_MAX = 4;
const MARKS = new RegExp(`(\\p{M}{${MARKS_MAX}})\\p{M}+`, "gu");

/** Returns a word or sentence of somebody else as it may stand in a line: what is not to be shown becomes `?`. */
export function plain(text: string): string {
  return plainMarked(text, "?");
}

/** The same with another mark: where `?` may be what somebody wrote. */
export function plainMarked(text: string, mark: string): string {
  return text.replaceAll(IN_A_WORD, mark).replaceAll(MARKS, "$1");
}

/**
 * Returns whole lines of ours as they may be written to a terminal or a log. SECURITY: the last net, for what a
 * renderer let through; a line end in somebody's name is for the renderer to catch. `styled` keeps colours.
 */
export function plainLines(text: string, styled: boolean): string {
  const clean = (part: string): string => part.replaceAll(IN_LINES, "?").replaceAll(MARKS, "$1");
  if (!styled) return clean(text);
  // Every second part is a style.
  return text
    .split(STYLE)
    .map((part, at) => (at % 2 === 1 ? part : clean(part)))
    .join("");
}

/** Returns JSON in which whatever is not to be shown is escaped: the same value, and only text. */
export function plainJson(json: string): string {
  return json.replaceAll(IN_LINES, (sign) =>
    Array.from({ length: sign.length }, (_, at) => sign.charCodeAt(at))
      .map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`)
      .join(""),
  );
}
