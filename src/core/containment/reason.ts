import type { AccountFacts, Fact, Reason } from "./facts.ts";

/** LIMIT: pieces of evidence in one reason, and characters of each. */
const EVIDENCE_MAX = 5;
const EVIDENCE_CHARS_MAX = 200;

/** Returns what a known fact gives, or the one reason that it is not known. `what` completes "it is not known ...". */
export function judge<Value>(
  fact: Fact<Value>,
  id: string,
  what: string,
  reasonsOf: (value: Value) => readonly Reason[],
  cure = "run the command as root, on the machine itself",
): readonly Reason[] {
  if (fact.known) return reasonsOf(fact.value);
  return [
    {
      id: `unknown-${id}`,
      sentence: `it is not known ${what}`,
      evidence: evidenceOf([fact.why]),
      cure,
      effect: "unknown",
    },
  ];
}

/** Returns evidence as one line. SECURITY: some of it is named by the agent (files, processes); no control characters. */
export function evidenceOf(pieces: readonly string[]): string {
  const shown = pieces.slice(0, EVIDENCE_MAX).map((piece) => {
    const plain = piece.replaceAll(/[^\x20-\x7e]/g, "?");
    return plain.length > EVIDENCE_CHARS_MAX ? `${plain.slice(0, EVIDENCE_CHARS_MAX)}...` : plain;
  });
  const more = pieces.length - shown.length;
  return more > 0 ? `${shown.join(", ")} and ${more} more` : shown.join(", ");
}

/** Returns how a user is called in a sentence or command. */
export function userWord({ name, uid }: Pick<AccountFacts, "name" | "uid">): string {
  return name ?? `#${uid}`;
}
