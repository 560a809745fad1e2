/** Text of the agent's own files, made fit for a comment, a terminal and a log. */

/** LIMIT: characters of one key that are shown. */
const KEY_CHARS_MAX = 40;
/** LIMIT: characters of a path of files that are shown. */
const PATH_CHARS_MAX = 200;

/**
 * Returns where something stands in a configuration, as `channels.telegram`. SECURITY: keys are the agent's to
 * choose, so whatever is not an ordinary letter, digit or mark becomes `?`.
 */
export function shownKeys(keys: readonly string[]): string {
  return keys.map((key) => cut(key.replaceAll(/[^A-Za-z0-9_@:/-]/g, "?"), KEY_CHARS_MAX)).join(".");
}

/** Returns a word of the agent's (a provider, a channel) as it may be shown. */
export function shownWord(word: string): string {
  return shownKeys([word]);
}

/** Returns a path of files as it may be shown in one line. */
export function shownPath(path: string): string {
  return cut(path.replaceAll(/[^A-Za-z0-9_.,@+~:/ -]/g, "?"), PATH_CHARS_MAX);
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 3)}...`;
}
