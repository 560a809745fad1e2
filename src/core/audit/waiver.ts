/** What the operator says about checks: failures that are accepted for a time, and facts only a person can know. */
import { parseDocument } from "yaml";
import type { Finding } from "./finding.ts";
import { isJson, listOf } from "./read/json.ts";

export interface Waiver {
  readonly check: string;
  readonly why: string;
  readonly owner: string;
  /** `2027-01-31`: the last day on which it holds (UTC). */
  readonly expires: string;
}

export interface Attestation {
  readonly check: string;
  /** What is stated: `limit of 50 USD a month at Anthropic`. */
  readonly says: string;
  readonly owner: string;
  /** `2026-11-21`: when it was stated (UTC). */
  readonly on: string;
}

export interface OperatorWord {
  readonly waivers: readonly Waiver[];
  readonly attested: readonly Attestation[];
  /** Entries that do not hold, one line each, with what is wrong. */
  readonly problems: readonly string[];
}

export const NO_WORD: OperatorWord = { waivers: [], attested: [], problems: [] };

/** Shorter reasons say nothing. */
export const WHY_CHARS_MIN = 10;
/** Checks whose truth only a person can know. */
export const ATTESTABLE: readonly string[] = ["APP-017", "APP-018", "NET-003", "SEC-013"];
/** LIMIT: bytes of the file. */
const TEXT_MAX = 256 * 1024;
const DATE = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;

/**
 * Returns what `audit.yaml` says. An entry that is not complete does not hold and is told: a waiver that is
 * misread must not hide a failure.
 */
export function parseOperatorWord(text: string, isCheck: (id: string) => boolean): OperatorWord {
  if (text.length > TEXT_MAX)
    return { ...NO_WORD, problems: ["audit.yaml is longer than 256 KiB: nothing of it holds"] };
  const document = parseDocument(text, { schema: "core", uniqueKeys: true, maxAliasCount: 0 } as never);
  if (document.errors.length > 0)
    return {
      ...NO_WORD,
      problems: [`audit.yaml: ${document.errors[0]?.message.split("\n")[0] ?? "cannot be read"}`],
    };
  const root: unknown = safeValue(document);
  if (root === null || root === undefined) return NO_WORD;
  if (!isJson(root)) return { ...NO_WORD, problems: ["audit.yaml must hold `waivers:` and `attested:`"] };
  const problems = Object.keys(root)
    .filter((key) => key !== "waivers" && key !== "attested")
    .map((key) => `audit.yaml: unknown key \`${key}\``);
  const waivers = sorted(listOf(root["waivers"]), "waiver", (texts) => waiverProblem(texts, isCheck));
  const attested = sorted(listOf(root["attested"]), "attested", (texts) =>
    attestationProblem(texts, isCheck),
  );
  return {
    waivers: waivers.good,
    attested: attested.good,
    problems: [...problems, ...waivers.problems, ...attested.problems],
  };
}

function sorted(
  entries: readonly unknown[],
  what: string,
  problemOf: (texts: EntryTexts) => string | null,
): { readonly good: readonly EntryTexts[]; readonly problems: readonly string[] } {
  const all = entries.map(textsOf).map((texts) => ({ texts, problem: problemOf(texts) }));
  return {
    good: all.filter(({ problem }) => problem === null).map(({ texts }) => texts),
    problems: all.flatMap(({ problem }, index) =>
      problem === null ? [] : [`audit.yaml: ${what} ${index + 1}: ${problem}`],
    ),
  };
}

function waiverProblem(
  { check, why, owner, expires }: EntryTexts,
  isCheck: (id: string) => boolean,
): string | null {
  const problem = entryProblem(check, isCheck);
  if (problem !== null) return problem;
  if (why.length < WHY_CHARS_MIN) return `\`why\` has less than ${WHY_CHARS_MIN} characters`;
  if (owner === "") return "`owner` is missing";
  return DATE.test(expires) ? null : "`expires` must be a day like 2027-01-31";
}

function attestationProblem(
  { check, says, owner, on }: EntryTexts,
  isCheck: (id: string) => boolean,
): string | null {
  const problem = entryProblem(check, isCheck);
  if (problem !== null) return problem;
  if (!ATTESTABLE.includes(check)) return `${check} can be seen: it is not attested`;
  if (says.length < WHY_CHARS_MIN) return `\`says\` has less than ${WHY_CHARS_MIN} characters`;
  if (owner === "") return "`owner` is missing";
  return DATE.test(on) ? null : "`on` must be a day like 2026-11-21";
}

function safeValue(document: {
  readonly toJS: (options: { readonly maxAliasCount: number }) => unknown;
}): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch {
    return "aliases";
  }
}

function entryProblem(check: string, isCheck: (id: string) => boolean): string | null {
  if (check === "") return "`check` is missing";
  return isCheck(check) ? null : `there is no check ${check}`;
}

type EntryTexts = Readonly<Record<"check" | "why" | "owner" | "expires" | "says" | "on", string>>;

function textsOf(entry: unknown): EntryTexts {
  const record = isJson(entry) ? entry : {};
  const text = (key: string): string => (typeof record[key] === "string" ? record[key].trim() : "");
  return {
    check: text("check").toUpperCase(),
    why: text("why"),
    owner: text("owner"),
    expires: text("expires"),
    says: text("says"),
    on: text("on"),
  };
}

/** Marks the failures that a waiver in force accepts. A waiver that has expired is told in the evidence. */
export function withWaivers(
  findings: readonly Finding[],
  waivers: readonly Waiver[],
  nowMs: number,
): Finding[] {
  return findings.map((finding) => {
    if (finding.status !== "fail") return finding;
    const own = waivers.filter(({ check }) => check === finding.id);
    const valid = own.find(({ expires }) => Date.parse(`${expires}T23:59:59Z`) >= nowMs);
    if (valid !== undefined)
      return { ...finding, waived: { why: valid.why, owner: valid.owner, expires: valid.expires } };
    const [expired] = own;
    if (expired === undefined) return finding;
    return {
      ...finding,
      evidence: [...finding.evidence, `the waiver of ${expired.owner} expired on ${expired.expires}`],
    };
  });
}
