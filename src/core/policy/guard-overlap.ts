import type { Diagnostic } from "../base/diagnostic.ts";
import { intervalCount, isEmptySet, subtractSet } from "../net/prefix-set.ts";
import type { PolicyDocument } from "./document.ts";
import type { ResolvedGuard, ResolvedInboundRule, ResolvedOutboundRule, ResolvedPolicy } from "./resolved.ts";

/** Returns a warning for each allow that reaches into a guard: the guard wins, and the file should say so. */
export function guardOverlaps(document: PolicyDocument, policy: ResolvedPolicy, nowMs: number): Diagnostic[] {
  const rules = [...policy.inbound, ...(policy.outbound ?? [])].filter((rule) => rule.action === "allow");
  const spans = new Map(
    [...document.inbound, ...(document.outbound ?? [])].map((rule) => [rule.id, rule.span]),
  );
  const found: Diagnostic[] = [];
  for (const rule of rules) {
    for (const guard of policy.guards) {
      const lifted = guard.liftedUntilMs !== null && nowMs < guard.liftedUntilMs;
      if (lifted || !overlaps(rule, guard)) continue;
      const span = spans.get(rule.id);
      if (span === undefined) continue;
      found.push({
        code: "policy/guarded",
        severity: "warning",
        message: `rule \`${rule.id}\` reaches into \`${guard.id}\`, and the guard wins`,
        help: `${guard.why}; lift it knowingly with \`accept_risk: {guard: ${guard.id.slice(6)}, reason, by, expires}\``,
        span,
      });
    }
  }
  return found;
}

function overlaps(rule: ResolvedInboundRule | ResolvedOutboundRule, guard: ResolvedGuard): boolean {
  const inbound = "from" in rule;
  if (inbound !== (guard.direction === "inbound")) return false;
  const services = rule.services.some((one) =>
    guard.services.some(
      (other) =>
        sharesProtocol(one.protocol, other.protocol) &&
        (one.protocol === "every" ||
          other.protocol === "every" ||
          (one.ports.first <= other.ports.last && other.ports.first <= one.ports.last)),
    ),
  );
  if (!services || inbound || guard.to === null) return services && !isNamesOnly(rule);
  if (isEmptySet(rule.to)) return false;
  const left = subtractSet(rule.to, guard.to);
  return intervalCount(left) !== intervalCount(rule.to) || isEmptySet(left) || !sameSet(left, rule.to);
}

/** A rule by names never reaches a guard by port alone in a way the operator could mean. */
function isNamesOnly(rule: ResolvedInboundRule | ResolvedOutboundRule): boolean {
  return "to" in rule && isEmptySet(rule.to);
}

function sharesProtocol(a: string, b: string): boolean {
  return a === b || a === "every" || b === "every" || a === "both" || b === "both";
}

function sameSet(a: ResolvedOutboundRule["to"], b: ResolvedOutboundRule["to"]): boolean {
  return (
    a.v4.first.join() === b.v4.first.join() &&
    a.v4.last.join() === b.v4.last.join() &&
    a.v6.first.join() === b.v6.first.join() &&
    a.v6.last.join() === b.v6.last.join()
  );
}
