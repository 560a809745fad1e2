import { formatPattern } from "../../net/hostname.ts";
import { parseNamePattern } from "../../net/name-pattern.ts";
import type { AcceptedRisk } from "../document.ts";
import { didYouMean } from "./closest.ts";
import { nameProblem } from "./name-problem.ts";
import { type MapEntry, type Node, shown } from "./node.ts";
import { hasErrorSince, personText, readExpiry, reasonText } from "./rule.ts";
import { formatDay } from "./time.ts";
import { AGENT_SCOPE, GUARD_IDS, PUBLIC_WEB, RISK_KEYS, RISK_KINDS } from "./vocabulary.ts";
import { type Fields, fail, fieldsOf, textOf, type Walk, warn, wordOf } from "./walk.ts";

type RiskFields = Fields<(typeof RISK_KEYS)[number]>;

/** Returns the entries of `accept_risk:` (one map or a list of them). */
export function readAcceptedRisks(
  walk: Walk,
  entry: MapEntry | undefined,
  scopes: ReadonlySet<string>,
): AcceptedRisk[] {
  if (entry === undefined) return [];
  const nodes = entry.value.kind === "list" ? entry.value.items : [entry.value];
  const risks: AcceptedRisk[] = [];
  for (const node of nodes) {
    const risk = readAcceptedRisk(walk, node, scopes);
    if (risk !== null) risks.push(risk);
  }
  return risks;
}

function readAcceptedRisk(walk: Walk, node: Node, scopes: ReadonlySet<string>): AcceptedRisk | null {
  const start = walk.diagnostics.length;
  const fields = fieldsOf(walk, node, "an accepted risk", RISK_KEYS);
  if (fields === null) return null;
  const risk = readRisk(walk, fields, scopes);
  const reason = required(walk, fields, "reason", (value) => {
    const text = textOf(walk, value, "`reason`");
    return text === null ? null : reasonText(walk, value, text, "`reason`");
  });
  const by = required(walk, fields, "by", (value) => personText(walk, value, "`by`"));
  const expiresMs = required(walk, fields, "expires", (value) => readExpiry(walk, value, "`expires`"));
  if (risk === null || reason === null || by === null || expiresMs === null) return null;
  if (hasErrorSince(walk, start)) return null;
  if (expiresMs <= walk.nowMs) {
    const message = `the accepted risk has expired (${formatDay(expiresMs - 1)}) and lifts nothing`;
    warn(
      walk,
      "expired",
      fields.get("expires")?.value.span ?? fields.span,
      message,
      "remove it, or decide again",
    );
  }
  return { risk, reason, by, expiresMs, span: fields.span };
}

function required<Value>(
  walk: Walk,
  fields: RiskFields,
  key: "reason" | "by" | "expires",
  read: (node: Node) => Value | null,
): Value | null {
  const entry = fields.get(key);
  if (entry !== undefined) return read(entry.value);
  const help = "an accepted risk says why, by whom and until when";
  fail(walk, "missing-key", fields.span, `the accepted risk has no \`${key}\``, help);
  return null;
}

function readRisk(walk: Walk, fields: RiskFields, scopes: ReadonlySet<string>): AcceptedRisk["risk"] | null {
  const [kind, ...others] = RISK_KINDS.filter((key) => fields.has(key));
  const value = kind === undefined ? undefined : fields.get(kind)?.value;
  if (kind === undefined || value === undefined) {
    const help =
      'say what is accepted: `guard: gateway`, `scope: agent`, `name: "*.github.io"` or `use: public-web`';
    fail(walk, "missing-key", fields.span, "the accepted risk names no risk", help);
    return null;
  }
  for (const other of others) {
    const span = fields.get(other)?.keySpan ?? fields.span;
    fail(
      walk,
      "conflict",
      span,
      `an entry accepts \`${kind}\` or \`${other}\`, not both`,
      "make it two entries",
    );
  }
  switch (kind) {
    case "guard":
      return readGuard(walk, value);
    case "scope":
      return readScope(walk, value, scopes);
    case "name":
      return readName(walk, value);
    case "use": {
      const word = wordOf(walk, value, "`use` of an accepted risk", [PUBLIC_WEB]);
      return word === null ? null : { kind: "public-web" };
    }
  }
}

function readGuard(walk: Walk, node: Node): AcceptedRisk["risk"] | null {
  const text = textOf(walk, node, "`guard`");
  if (text === null) return null;
  const guard = text.replace(/^guard\./, "");
  if (GUARD_IDS.some((id) => id === guard)) return { kind: "guard", guard };
  const help = didYouMean(guard, GUARD_IDS) ?? `the guards are ${GUARD_IDS.join(", ")}`;
  fail(walk, "unknown-guard", node.span, `${shown(text)} is not a guard`, help);
  return null;
}

function readScope(walk: Walk, node: Node, scopes: ReadonlySet<string>): AcceptedRisk["risk"] | null {
  const scope = textOf(walk, node, "`scope`");
  if (scope === null) return null;
  if (scope === AGENT_SCOPE || scopes.has(scope)) return { kind: "scope", scope };
  const help = didYouMean(scope, [...scopes, AGENT_SCOPE]) ?? "declare it under `scopes:`";
  fail(walk, "unknown-scope", node.span, `${shown(scope)} is not a scope`, help);
  return null;
}

function readName(walk: Walk, node: Node): AcceptedRisk["risk"] | null {
  const text = textOf(walk, node, "`name`");
  if (text === null) return null;
  const parsed = parseNamePattern(text);
  if (!parsed.ok) {
    nameProblem(walk, text, node.span, parsed.problem, parsed.instead);
    return null;
  }
  const pattern = formatPattern(parsed.pattern);
  if (parsed.breadth !== null) return { kind: "name", pattern };
  warn(walk, "redundant", node.span, `${shown(pattern)} needs no accepted risk`, "remove the entry");
  return { kind: "name", pattern };
}
