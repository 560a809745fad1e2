import type { InboundRule, Rate, SourceTerm } from "../document.ts";
import type { Names } from "./names.ts";
import { type Node, shown } from "./node.ts";
import { type CommonFields, hasErrorSince, readAction, readCommon, warnExpired } from "./rule.ts";
import { readServices } from "./service-term.ts";
import { readSources } from "./source.ts";
import { INBOUND_KEYS, RATE_COUNT_MAX, RATE_PATTERN, RATE_UNITS } from "./vocabulary.ts";
import { type Fields, fail, fieldsOf, termText, type Walk } from "./walk.ts";

const ELSEWHERE = {
  use: "presets are for outbound rules",
  port: "an inbound rule names its ports in `allow` or `deny`: `allow: 8082`",
  protocol: "write the protocol in the service: `allow: udp/53`",
  scope: "a scope is for outbound rules",
  to: "an inbound rule has `from`; the destination is this host",
  private: "`private` is for outbound rules",
} as const;

type InboundFields = Fields<(typeof INBOUND_KEYS)[number]>;
export type InboundDraft = Omit<InboundRule, "id"> & Pick<CommonFields, "id">;

/** Returns an inbound rule (its id still open when the file gives none), or null with errors. */
export function readInboundRule(
  walk: Walk,
  node: Node,
  names: Names,
  requireOwner: boolean,
): InboundDraft | null {
  const start = walk.diagnostics.length;
  const fields = fieldsOf(walk, node, "an inbound rule", INBOUND_KEYS, ELSEWHERE);
  if (fields === null) return null;
  const action = readAction<"allow" | "deny">(walk, fields, ["allow", "deny"]);
  // A rule without an action is still read: its other mistakes are shown at the same time.
  const kind = action?.key === "deny" ? "deny" : "allow";
  const services = action === null ? [] : readServices(walk, action.value, kind);
  const from = readFrom(walk, fields, kind, action !== null, names);
  const exceptEntry = fields.get("except");
  const except = exceptEntry === undefined ? [] : readSources(walk, exceptEntry.value, "`except`", names);
  if (except.some((term) => term.kind === "any")) {
    fail(
      walk,
      "conflict",
      exceptEntry?.value.span ?? fields.span,
      "`except: any` leaves nothing of the rule",
    );
  }
  const rate = readRate(walk, fields, kind);
  const common = readCommon(walk, fields, kind, requireOwner);
  if (common === null || hasErrorSince(walk, start)) return null;
  if (common.expiresMs !== null) warnExpired(walk, fields, kind, common.expiresMs);
  return { ...common, action: kind, services, from, except, rate };
}

function readFrom(
  walk: Walk,
  fields: InboundFields,
  kind: "allow" | "deny",
  hasAction: boolean,
  names: Names,
): SourceTerm[] {
  const entry = fields.get("from");
  if (entry !== undefined) return readSources(walk, entry.value, "`from`", names);
  if (kind === "allow" && hasAction) {
    const help = "say who may connect: `from: any`, an address, a prefix or a set";
    fail(walk, "missing-key", fields.span, "the rule has no `from`", help);
  }
  return [{ kind: "any" }];
}

function readRate(walk: Walk, fields: InboundFields, kind: "allow" | "deny"): Rate | null {
  const entry = fields.get("rate");
  if (entry === undefined) return null;
  if (kind === "deny") {
    fail(
      walk,
      "conflict",
      entry.keySpan,
      "`rate` belongs to a rule that allows",
      "remove it, or use `allow`",
    );
  }
  const text = termText(walk, entry.value, "`rate` must be connections per time such as `60/minute`");
  if (text === null) return null;
  const match = RATE_PATTERN.exec(text);
  const count = Number(match?.[1]);
  const per = RATE_UNITS.find((unit) => unit === match?.[2]);
  if (per === undefined || !(count <= RATE_COUNT_MAX)) {
    const help =
      "write connections per source such as `60/minute`: 1-1000000 per second, minute, hour or day";
    fail(walk, "rate", entry.value.span, `${shown(text)} is not a rate`, help);
    return null;
  }
  return { count, per };
}
