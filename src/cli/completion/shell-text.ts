/** SECURITY: the one way in which text gets into a script for a shell. */

/** Returns a text as one word of sh, bash and zsh, whatever it holds. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Returns a text as one word of fish, whatever it holds. */
export function fishWord(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
