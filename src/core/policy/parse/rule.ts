import type { Span } from "../../base/diagnostic.ts";
import type { Denial, Mode, RuleAction } from "../document.ts";
import { type Node, shown } from "./node.ts";
import { parseExpiry } from "./time.ts";
import {
  DENIALS,
  MODES,
  OWNER_CHARS_MAX,
  RESERVED_ID_PREFIXES,
  RULE_ID_PATTERN,
  WHY_CHARS_MAX,
  WHY_CHARS_MIN,
} from "./vocabulary.ts";
import { type Fields, fail, orList, termText, textOf, type Walk, warn, wordOf } from "./walk.ts";

/** SECURITY: control, line and direction characters would change how a log or a terminal shows the text. */
const DISGUISING = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u;

export type CommonKey = "allow" | "deny" | "id" | "why" | "owner" | "expires" | "mode" | "denial";

/** The id that the file gives a rule. */
export interface GivenId {
  readonly text: string;
  readonly span: Span;
}

/** What rules of both directions have. `id` is null when one has to be derived. */
export interface CommonFields {
  readonly id: GivenId | null;
  readonly why: string;
  readonly owner: string | null;
  readonly expiresMs: number | null;
  readonly mode: Mode | null;
  readonly denial: Denial | null;
  readonly span: Span;
}

/** Returns the common fields of a rule, or null when one of them is an error (which is reported). */
export function readCommon(
  walk: Walk,
  fields: Fields<CommonKey>,
  action: RuleAction,
  requireOwner: boolean,
): CommonFields | null {
  const errorsBefore = walk.diagnostics.length;
  const id = optional(fields, "id", (node) => readId(walk, node));
  const why = readWhy(walk, fields);
  const owner = readOwner(walk, fields, requireOwner);
  const expiresMs = optional(fields, "expires", (node) => readExpiry(walk, node, "`expires`"));
  const mode = optional(fields, "mode", (node) => wordOf(walk, node, "`mode` of a rule", MODES));
  const denial = optional(fields, "denial", (node) => wordOf(walk, node, "`denial`", DENIALS));
  if (denial !== null && action === "allow") {
    const span = fields.get("denial")?.keySpan ?? fields.span;
    fail(walk, "conflict", span, "`denial` belongs to a rule that denies", "remove it, or use `deny`");
  }
  if (hasErrorSince(walk, errorsBefore) || why === null) return null;
  return { id, why, owner, expiresMs, mode, denial, span: fields.span };
}

export function hasErrorSince(walk: Walk, start: number): boolean {
  return walk.diagnostics.slice(start).some((diagnostic) => diagnostic.severity === "error");
}

/** A rule that has ended: an allow is gone, a deny stays. Said after the whole rule is known. */
export function warnExpired(
  walk: Walk,
  fields: Fields<CommonKey>,
  action: RuleAction,
  expiresMs: number,
): void {
  if (expiresMs > walk.nowMs) return;
  const span = fields.get("expires")?.value.span ?? fields.span;
  if (action === "allow") {
    const help = "remove the rule, or give it a new date";
    warn(walk, "expired", span, "the rule has expired and no longer allows anything", help);
  } else {
    const help = "remove the rule if it is no longer needed, or give it a new date";
    warn(walk, "expired", span, "the rule has expired, but a deny stays until it is removed", help);
  }
}

function optional<Value>(
  fields: Fields<CommonKey>,
  key: CommonKey,
  read: (node: Node) => Value | null,
): Value | null {
  const entry = fields.get(key);
  return entry === undefined ? null : read(entry.value);
}

function readId(walk: Walk, node: Node): GivenId | null {
  const text = textOf(walk, node, "`id`");
  if (text === null) return null;
  if (!RULE_ID_PATTERN.test(text)) {
    const help = "1 to 48 of a-z, 0-9, `.`, `_` and `-`, beginning with a letter or digit";
    fail(walk, "id", node.span, `${shown(text)} is not an id`, help);
    return null;
  }
  if (RESERVED_ID_PREFIXES.some((prefix) => text.startsWith(prefix))) {
    const help = "ids that begin with `host.` or `guard.` are those of built-in rules";
    fail(walk, "id", node.span, `${shown(text)} is reserved`, help);
    return null;
  }
  return { text, span: node.span };
}

function readWhy(walk: Walk, fields: Fields<CommonKey>): string | null {
  const entry = fields.get("why");
  if (entry === undefined) {
    const help = "say in a few words why the rule exists: `why: administration, keys only`";
    fail(walk, "missing-key", fields.span, "the rule has no `why`", help);
    return null;
  }
  const text = textOf(walk, entry.value, "`why`");
  return text === null ? null : reasonText(walk, entry.value, text, "`why`");
}

/** Returns a reason (trimmed, 10 to 500 characters, one paragraph), or null with an error. */
export function reasonText(walk: Walk, node: Node, text: string, what: string): string | null {
  const reason = text.trim();
  if (DISGUISING.test(reason)) {
    const help = "write it in one line; `why: >-` folds several lines into one";
    fail(walk, "control-character", node.span, `${what} holds a line break or control character`, help);
    return null;
  }
  const length = Array.from(reason).length;
  if (length < WHY_CHARS_MIN) {
    const message = `${what} must have at least ${WHY_CHARS_MIN} characters, not ${length}`;
    fail(walk, "why", node.span, message, "say what a colleague would need to know");
    return null;
  }
  if (length > WHY_CHARS_MAX) {
    const message = `${what} must have at most ${WHY_CHARS_MAX} characters, not ${length}`;
    fail(walk, "why", node.span, message, "keep long explanations in a comment");
    return null;
  }
  return reason;
}

function readOwner(walk: Walk, fields: Fields<CommonKey>, required: boolean): string | null {
  const entry = fields.get("owner");
  if (entry !== undefined) return personText(walk, entry.value, "`owner`");
  if (required) {
    const help = "`defaults.require` asks for it";
    fail(walk, "missing-key", fields.span, "the rule has no `owner`", help);
  }
  return null;
}

/** Returns the name of a person or team, or null with an error. */
export function personText(walk: Walk, node: Node, what: string): string | null {
  const text = textOf(walk, node, what)?.trim();
  if (text === undefined) return null;
  if (text === "" || text.length > OWNER_CHARS_MAX || DISGUISING.test(text)) {
    const message = `${what} must be 1 to ${OWNER_CHARS_MAX} characters in one line`;
    fail(walk, "owner", node.span, message);
    return null;
  }
  return text;
}

/** Returns when a date or timestamp has passed (Unix ms), or null with an error. */
export function readExpiry(walk: Walk, node: Node, what: string): number | null {
  const text = termText(walk, node, `${what} must be a date or a time`);
  if (text === null) return null;
  const ms = parseExpiry(text);
  if (ms !== undefined) return ms;
  const help = "write a day such as `2027-01-31` (to its end, UTC) or a time such as `2027-01-31T18:00:00Z`";
  fail(walk, "date", node.span, `${shown(text)} is not a date that exists`, help);
  return null;
}

/** Returns the action of a rule and its value, or null with an error. */
export function readAction<Verb extends string>(
  walk: Walk,
  fields: Pick<Fields<Verb>, "get" | "has" | "span">,
  verbs: readonly Verb[],
): { readonly key: Verb; readonly value: Node } | null {
  const given = verbs.filter((verb) => fields.has(verb));
  const [key] = given;
  const entry = key === undefined ? undefined : fields.get(key);
  if (key === undefined || entry === undefined) {
    fail(
      walk,
      "missing-key",
      fields.span,
      `the rule has no ${orList(verbs)}`,
      "a rule has exactly one of them",
    );
    return null;
  }
  for (const other of given.slice(1)) {
    const span = fields.get(other)?.keySpan ?? fields.span;
    fail(walk, "conflict", span, `a rule has \`${key}\` or \`${other}\`, not both`, "make it two rules");
  }
  return given.length > 1 ? null : { key, value: entry.value };
}
