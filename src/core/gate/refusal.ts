/** A refusal as everybody is told of it: the caller, the log, `explain ID` and `approve ID`, all by one id. */
import { createHash } from "node:crypto";
import type { FlowProtocol } from "../net/flow.ts";
import { cureOf, cureText, type Refused } from "../policy/cure.ts";
import type { Decision } from "../policy/decision.ts";

/** What was asked for. At least one of host and address is known, or neither could be read. */
export interface RefusedTarget {
  readonly scope: string;
  readonly host: string | null;
  readonly address: string | null;
  readonly port: number;
  readonly protocol: FlowProtocol;
}

export interface Refusal extends RefusedTarget {
  readonly id: string;
  readonly decision: Decision;
}

const ID_CHARS = 10;
const ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789";

/** Returns the refusal with its id: the same for the same scope, target and reason, however often it happens. */
export function refusalOf(target: RefusedTarget, decision: Decision): Refusal {
  return { ...target, decision, id: refusalId(target, decision) };
}

/** Returns `sw-` and ten characters without look-alikes. */
export function refusalId(
  target: RefusedTarget,
  { reason, rule }: Pick<Decision, "reason" | "rule">,
): string {
  const { scope, host, address, port, protocol } = target;
  // The address of a name changes from answer to answer; what was asked for is the name.
  const what = host ?? address ?? "";
  const hash = createHash("sha256")
    .update([scope, what, port, protocol, reason, rule ?? ""].join("\n"))
    .digest();
  return `sw-${Array.from(hash.subarray(0, ID_CHARS), (byte) => ALPHABET[byte & 31]).join("")}`;
}

/** Whether a text has the form of an id. */
export function isRefusalId(text: string): boolean {
  return /^sw-[a-km-np-z2-9]{10}$/.test(text);
}

/** Returns the one sentence for people and models, and what the owner would type. */
export function sayRefusal(refusal: Refusal): { readonly message: string; readonly help: string } {
  const { scope, host, address, port, protocol, decision, id } = refusal;
  const target = `${host ?? address ?? "a destination that could not be read"}${port === 0 ? "" : `:${port}`}`;
  const what = protocol === "tcp" ? target : `${target}/${protocol}`;
  const message = `Seawall refused ${what} for \`${scope}\` (${decision.reason}): ${decision.why}.`;
  return {
    message,
    help: canApprove(refusal)
      ? `the owner of this machine can allow it: seawall approve ${id}`
      : `${cureText(cureOf(refusedOf(refusal)))} (more: seawall explain ${id})`,
  };
}

/** The refusal as its cure is asked for; the question of a name has no port of its own. */
function refusedOf({ scope, host, address, port, protocol, decision }: Refusal): Refused {
  const isQuestion = address === null && port === 53;
  return {
    direction: "outbound",
    reason: decision.reason,
    rule: decision.rule,
    place: scope,
    host,
    address,
    source: null,
    port: isQuestion || port === 0 ? null : port,
    protocol,
  };
}

/** Only what no rule decided can be allowed by one more rule. */
export function canApprove({ decision, host, address }: Refusal): boolean {
  return decision.reason === "default" && (host !== null || address !== null);
}

/** The body of a 403, and of every other answer that has room for it. */
export function refusalBody(refusal: Refusal): Readonly<Record<string, unknown>> {
  const { host, address, port, decision, id } = refusal;
  const { message, help } = sayRefusal(refusal);
  return { reason: decision.reason, id, host: host ?? address, port, rule: decision.rule, message, help };
}
