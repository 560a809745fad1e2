/** Names of the host in commands that a person is told to run. */

/**
 * Returns text as one word of a shell command that stands for exactly this text. SECURITY: names of files, users and
 * units are chosen by others. What a terminal would not show as it is, is written by its bytes (`$'...'`, which bash,
 * zsh and busybox read), so that the word survives being shown.
 */
export function shellWord(text: string): string {
  if (/^[A-Za-z0-9_./:@=,+-]+$/.test(text)) return text;
  if (/^[\x20-\x7e]*$/.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  const pieces = [...new TextEncoder().encode(text)].map((byte) => {
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x27 && byte !== 0x5c;
    return isPlain ? String.fromCodePoint(byte) : `\\${byte.toString(8).padStart(3, "0")}`;
  });
  return `$'${pieces.join("")}'`;
}
