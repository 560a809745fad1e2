/** A refusal as everybody is told of it: the caller, the log, `explain ID` and `approve ID`, all by one id. */
import { createHmac } from "node:crypto";
import type { Branded } from "../base/brand.ts";
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

/** What ids are made with: of one scope and one start of the machine. Only seawalld and its gates know it. */
export type RefusalKey = Branded<Uint8Array, "RefusalKey">;

/** LIMIT: five bits each, so a hundred; nobody without the key finds two targets with one id, nor any id. */
const ID_CHARS = 20;
export const KEY_BYTES = 32;
const ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789";

/** Returns the key of a scope, made from a secret of the machine; `boot` is the kernel's name of this start. */
export function refusalKey(secret: Uint8Array, boot: string, scope: string): RefusalKey {
  const text = JSON.stringify(["seawall refusal", boot, scope]);
  return new Uint8Array(createHmac("sha256", secret).update(text).digest()) as RefusalKey;
}

/** Returns the refusal with its id: the same for the same scope, target and reason, however often it happens. */
export function refusalOf(target: RefusedTarget, decision: Decision, key: RefusalKey): Refusal {
  return { ...target, decision, id: refusalId(target, decision, key) };
}

/** Whether what was decided has an id: it was refused, or enforcing would refuse it. */
export function isRefusal({ verdict, observed }: Pick<Decision, "verdict" | "observed">): boolean {
  return verdict !== "accept" || observed;
}

/** Returns `sw-` and twenty characters without look-alikes. */
export function refusalId(
  target: RefusedTarget,
  { reason, rule }: Pick<Decision, "reason" | "rule">,
  key: RefusalKey,
): string {
  const { scope, host, address, port, protocol } = target;
  // The address of a name changes from answer to answer; what was asked for is the name.
  const what = host === null ? ["address", address] : ["host", host];
  const text = JSON.stringify([scope, ...what, port, protocol, reason, rule]);
  const hash = createHmac("sha256", key).update(text).digest();
  return `sw-${Array.from(hash.subarray(0, ID_CHARS), (byte) => ALPHABET[byte & 31]).join("")}`;
}

/** How an id was written: by this version, by 0.1.0 (50 bits without a key: two targets may share one), or in part. */
export type IdForm = "full" | "old" | "beginning";

/** Returns the form of an id or of its beginning (six characters at least), or undefined for any other text. */
export function idForm(text: string): IdForm | undefined {
  const chars = /^sw-([a-km-np-z2-9]{6,20})$/.exec(text)?.[1]?.length;
  if (chars === undefined) return undefined;
  if (chars === ID_CHARS) return "full";
  return chars === OLD_ID_CHARS ? "old" : "beginning";
}

const OLD_ID_CHARS = 10;

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
