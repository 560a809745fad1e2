import { domainToASCII } from "node:url";
import type { Branded } from "../base/brand.ts";
import { type Ip, parseIp } from "./ip.ts";

/** A name as the gates see it: lower case, A-labels, no trailing dot, at most 253 bytes. */
export type Hostname = Branded<string, "Hostname">;

/** An exact name, or `*.suffix` (one or more labels before the suffix, never the suffix itself). */
export type NamePattern =
  | { readonly kind: "exact"; readonly name: Hostname }
  | { readonly kind: "below"; readonly suffix: Hostname };

/** Why a text is no host name. `address-spelling`: inet_aton(3) or a WHATWG URL would read an address. */
export type HostnameProblem =
  | "empty"
  | "character"
  | "unicode"
  | "empty-label"
  | "hyphen"
  | "label-too-long"
  | "name-too-long"
  | "address-spelling";

export type HostnameParse =
  | { readonly ok: true; readonly name: Hostname }
  | { readonly ok: false; readonly problem: HostnameProblem };

/** What a host in a flow is: a name, an address in strict spelling, or neither. */
export type CanonicalHost =
  | { readonly kind: "name"; readonly name: Hostname }
  | { readonly kind: "address"; readonly ip: Ip }
  | { readonly kind: "invalid"; readonly problem: HostnameProblem };

const NAME_BYTES_MAX = 253;
const LABEL_BYTES_MAX = 63;
/** Longer text is refused before any conversion is tried. */
const HOST_CHARS_MAX = 1024;

/**
 * Returns the name that `text` spells (RFC 1035 2.3.4, RFC 5890 A-labels): lower-cased, one trailing dot
 * stripped, `_` allowed. Refuses every other character, empty and over-long labels, leading and trailing
 * hyphens, non-ASCII text (`unicode`), and whatever ends in a number (WHATWG URL "ends in a number").
 */
export function parseHostname(text: string): HostnameParse {
  if (text.length > HOST_CHARS_MAX) return { ok: false, problem: "name-too-long" };
  const bare = text.endsWith(".") ? text.slice(0, -1) : text;
  if (bare === "") return { ok: false, problem: text === "" ? "empty" : "empty-label" };
  // SECURITY: before lower-casing, which turns U+212A (Kelvin sign) into an ordinary `k`.
  if (!isAscii(bare)) return { ok: false, problem: "unicode" };
  const name = bare.toLowerCase();
  const labels = name.split(".");
  for (const label of labels) {
    const problem = labelProblem(label);
    if (problem !== null) return { ok: false, problem };
  }
  if (name.length > NAME_BYTES_MAX) return { ok: false, problem: "name-too-long" };
  if (endsInNumber(labels)) return { ok: false, problem: "address-spelling" };
  return { ok: true, name: name as Hostname };
}

function labelProblem(label: string): HostnameProblem | null {
  if (label === "") return "empty-label";
  for (let at = 0; at < label.length; at += 1) {
    const code = label.charCodeAt(at);
    const isLetter = code >= 97 && code <= 122;
    const isDigit = code >= 48 && code <= 57;
    if (!isLetter && !isDigit && code !== 45 && code !== 95) return "character";
  }
  if (label.startsWith("-") || label.endsWith("-")) return "hyphen";
  return label.length > LABEL_BYTES_MAX ? "label-too-long" : null;
}

/** SECURITY: such a name is an address to inet_aton(3) and to URL parsers, whatever we would call it. */
function endsInNumber(labels: readonly string[]): boolean {
  const last = labels.at(-1) ?? "";
  return /^(?:[0-9]+|0x[0-9a-f]*)$/.test(last);
}

/**
 * Returns what a host in a flow is. Addresses only in strict spelling (parseIp; IPv6 may stand in brackets).
 * A U-label name becomes A-labels (UTS 46) and is then judged again, because full-width digits and
 * ideographic dots turn into an address.
 */
export function canonicalHost(text: string): CanonicalHost {
  if (text.length > HOST_CHARS_MAX) return { kind: "invalid", problem: "name-too-long" };
  const bracketed = text.startsWith("[") && text.endsWith("]");
  const ip = parseIp(bracketed ? text.slice(1, -1) : text);
  if (ip !== undefined && (!bracketed || text.includes(":"))) return { kind: "address", ip };
  if (bracketed || text.includes(":")) return { kind: "invalid", problem: "address-spelling" };
  // SECURITY: domainToASCII decodes %XX and drops tabs and newlines, so ASCII is judged before it runs.
  if (hasForbiddenAscii(text)) return { kind: "invalid", problem: "character" };
  const parsed = parseHostname(isAscii(text) ? text : toAscii(text));
  return parsed.ok ? { kind: "name", name: parsed.name } : { kind: "invalid", problem: parsed.problem };
}

/** Returns the A-label spelling of a name with U-labels, or "" when there is none (UTS 46). */
export function toAscii(text: string): string {
  return hasForbiddenAscii(text) ? "" : domainToASCII(text);
}

function hasForbiddenAscii(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code > 127) continue;
    const isLetter = (code >= 97 && code <= 122) || (code >= 65 && code <= 90);
    const isDigit = code >= 48 && code <= 57;
    if (!isLetter && !isDigit && code !== 45 && code !== 46 && code !== 95) return true;
  }
  return false;
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) > 127) return false;
  return true;
}

/** Whether `host` is what the pattern names. No allocation: this is on hot paths. */
export function matchesPattern(pattern: NamePattern, host: Hostname): boolean {
  if (pattern.kind === "exact") return host === pattern.name;
  const before = host.length - pattern.suffix.length - 1;
  return before > 0 && host.charCodeAt(before) === 46 && host.endsWith(pattern.suffix);
}

/** Returns the pattern as the policy file writes it. */
export function formatPattern(pattern: NamePattern): string {
  return pattern.kind === "exact" ? pattern.name : `*.${pattern.suffix}`;
}
