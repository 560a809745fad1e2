/** LIMIT: characters of a name that are shown. */
const NAME_CHARS_MAX = 64;

/**
 * Returns a name that somebody else chose (a table, a program) as it may stand in a line of text. SECURITY: the
 * kernel takes any byte in it; whatever is not visible ASCII becomes `?`, so that it moves no terminal.
 */
export function shownName(name: string): string {
  const plain = name.replaceAll(/[^!-~]/g, "?");
  return plain.length <= NAME_CHARS_MAX ? plain : `${plain.slice(0, NAME_CHARS_MAX - 3)}...`;
}
