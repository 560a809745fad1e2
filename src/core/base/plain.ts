/**
 * Returns text as it may be shown on a terminal: control characters and escapes of others (names, paths, messages
 * of other programs) become `?`.
 */
export function plain(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "?");
}
