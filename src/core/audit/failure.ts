/** What is wrong, in words of its own: a failure's title names who or what it is about, as the evidence has it. */

/** A name of the host that may stand in a title as it is; everything else is only in the evidence. */
const PLAIN_NAME = /^[A-Za-z0-9][\w.@/-]{0,39}$/;
/** LIMIT: names in one title; more are counted. */
const NAMES_MAX = 2;

/**
 * Returns a sentence about those whose names begin the lines of evidence (`n8n: ...`), or about `none` where no name
 * may be shown: `n8n holds Docker's socket`, `n8n and web hold Docker's socket`.
 */
export function about(none: string, one: string, many: string): (evidence: readonly string[]) => string {
  return (evidence) => {
    const names = unique(evidence.map((line) => /^(\S+): /.exec(line)?.[1] ?? ""));
    const text = listText(names);
    return text === null ? `${none} ${one}` : `${text} ${names.length === 1 ? one : many}`;
  };
}

/** Returns a sentence with the users of its lines (`... as ann from 10.0.0.9`): `SSH accepts passwords, for user ann`. */
export function forUsers(sentence: string): (evidence: readonly string[]) => string {
  return (evidence) => {
    const names = unique(evidence.map((line) => / as (\S+) from /.exec(line)?.[1] ?? ""));
    const text = listText(names);
    return text === null ? sentence : `${sentence}, for ${names.length === 1 ? "user" : "users"} ${text}`;
  };
}

/** Returns the sentence of the first pattern that some line of evidence matches. */
export function byEvidence(
  otherwise: string,
  ...cases: readonly (readonly [pattern: RegExp, sentence: string])[]
): (evidence: readonly string[]) => string {
  return (evidence) =>
    cases.find(([pattern]) => evidence.some((line) => pattern.test(line)))?.[1] ?? otherwise;
}

/** Returns a sentence that ends with the ports or numbers that a pattern finds: `...: 22 and 2222`. */
export function withNumbers(sentence: string, pattern: RegExp): (evidence: readonly string[]) => string {
  return (evidence) => {
    const found = [...new Set(evidence.flatMap((line) => pattern.exec(line)?.[1] ?? []))];
    if (found.length === 0) return sentence;
    const shown = found.slice(0, NAMES_MAX + 1).join(", ");
    return `${sentence}: ${shown}${found.length > NAMES_MAX + 1 ? ` and ${found.length - NAMES_MAX - 1} more` : ""}`;
  };
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names.filter((name) => name !== ""))];
}

/** SECURITY: a title stands outside of code spans and quotes, so names of others are in it only when they are plain. */
function listText(names: readonly string[]): string | null {
  if (names.length === 0 || !names.every((name) => PLAIN_NAME.test(name))) return null;
  if (names.length <= NAMES_MAX) return names.join(" and ");
  return `${names.slice(0, NAMES_MAX).join(", ")} and ${names.length - NAMES_MAX} more`;
}
