import { parse as parseSuffix } from "tldts";
import { type Hostname, type HostnameProblem, type NamePattern, parseHostname, toAscii } from "./hostname.ts";
import { parseIp } from "./ip.ts";

/** Why a text is no name pattern. */
export type NamePatternProblem = HostnameProblem | "address" | "wildcard" | "public-suffix" | "single-label";

/** Why `*.x` reaches further than one owner: x is a registry's suffix, a hoster's, or one label. */
export type Breadth = "public-suffix" | "private-suffix" | "single-label";

export type NamePatternParse =
  | {
      readonly ok: true;
      readonly pattern: NamePattern;
      /** Not null: only an accepted risk may use this pattern. */
      readonly breadth: Breadth | null;
    }
  | {
      readonly ok: false;
      readonly problem: NamePatternProblem;
      /** The spelling that would be read, for example the A-label of a U-label name. */
      readonly instead: string | null;
    };

/**
 * Returns the pattern that `text` spells: an exact name, or `*.name` (`**.name` is read as that). An exact
 * name is refused when it is an ICANN public suffix (publicsuffix.org) or one label. A wildcard stands only
 * in front and for whole labels. Addresses in any spelling are refused: they are another kind of term.
 */
export function parseNamePattern(text: string): NamePatternParse {
  const wildcard = /^\*\*?\./.exec(text)?.[0] ?? "";
  const rest = text.slice(wildcard.length);
  if (rest.includes("*")) return { ok: false, problem: "wildcard", instead: null };
  if (parseIp(rest) !== undefined) return { ok: false, problem: "address", instead: null };
  const parsed = parseHostname(rest);
  if (!parsed.ok) {
    return { ok: false, problem: parsed.problem, instead: insteadOf(parsed.problem, wildcard, rest) };
  }
  const breadth = breadthOf(parsed.name);
  if (wildcard !== "") return { ok: true, pattern: { kind: "below", suffix: parsed.name }, breadth };
  if (breadth === "single-label" || breadth === "public-suffix") {
    return { ok: false, problem: breadth, instead: null };
  }
  return { ok: true, pattern: { kind: "exact", name: parsed.name }, breadth: null };
}

function insteadOf(problem: HostnameProblem, wildcard: string, rest: string): string | null {
  if (problem !== "unicode") return null;
  const ascii = parseHostname(toAscii(rest));
  return ascii.ok ? `${wildcard === "" ? "" : "*."}${ascii.name}` : null;
}

function breadthOf(name: Hostname): Breadth | null {
  const suffix = parseSuffix(name, {
    allowPrivateDomains: true,
    extractHostname: false,
    validateHostname: false,
  });
  if (suffix.publicSuffix === name) {
    if (suffix.isIcann === true) return "public-suffix";
    if (suffix.isPrivate === true) return "private-suffix";
  }
  return name.includes(".") ? null : "single-label";
}
