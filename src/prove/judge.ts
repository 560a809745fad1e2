/** What an answer says about a way around the policy. Pure. */
import type { Decision } from "../core/policy/decision.ts";
import { type Answer, PORT_UNREACHABLE } from "./ask.ts";
import { held, type Judged, notHeld, notPossible, notShown } from "./row.ts";

/** What the policy in force says about an attempt. */
export type Pledge =
  | { readonly kind: "refused"; readonly drops: boolean }
  | { readonly kind: "allowed"; readonly by: string }
  /** Only watched: it passes; `would` is what enforce would do. */
  | { readonly kind: "watched"; readonly would: string };

/** A refusal that the log has of the same attempt. */
export interface LogHit {
  readonly by: "kernel" | "gate";
  readonly observed: boolean;
  readonly reason: string;
  readonly rule: string | null;
  readonly refusal: string | null;
}

/** Returns what a decision of `evaluate` promises. */
export function pledgeOf(decision: Decision): Pledge {
  const { verdict, observed, reason, rule } = decision;
  if (observed) return { kind: "watched", would: `${verdict} (${rule ?? reason})` };
  if (verdict === "accept") return { kind: "allowed", by: rule ?? reason };
  return { kind: "refused", drops: verdict === "drop" };
}

const ENFORCE = "mode: {outbound: enforce}";
const CHANGED = "seawall status (the kernel does not do what the policy says), then seawall apply FILE";

/**
 * Returns what became of an attempt. Held only where a refusal was seen: by the error of the attempt itself or, where
 * that could have another cause (nothing came back), by the log.
 */
export function judgeAttempt(answer: Answer, pledge: Pledge, hit: LogHit | null): Judged {
  const seen = evidenceOf(answer, hit);
  if (answer.outcome === "failed") return notShown(answer.code);
  if (answer.outcome === "absent") return notPossible(`${answer.code}: this machine has no way there`);
  if (pledge.kind === "allowed") {
    const cure = `take \`${pledge.by}\` out of the policy, or narrow it`;
    return { ...notHeld(`\`${pledge.by}\` allows it; ${seen}`, cure), promised: false };
  }
  if (pledge.kind === "watched") return judgeWatched(answer, pledge.would, seen, hit);
  if (answer.outcome === "refused" && (answer.code !== PORT_UNREACHABLE || hit !== null)) return held(seen);
  if (answer.outcome === "refused")
    return notPossible(`${seen}: the log does not say by whom (seawall daemon)`);
  if (answer.outcome === "reached") return notHeld(seen, CHANGED);
  if (hit !== null && !hit.observed) return held(seen);
  if (pledge.drops)
    return notPossible(
      `${seen}: nothing came back, and the log does not say who dropped it (seawall daemon)`,
    );
  return notHeld(`${seen}: it was sent and nothing refused it`, CHANGED);
}

/** SECURITY: what others refuse while Seawall only watches is no merit of Seawall's, and may end any moment. */
function judgeWatched(answer: Answer, would: string, seen: string, hit: LogHit | null): Judged {
  // The log has that it passed here: whoever refused it then was further away.
  if (answer.outcome === "refused" && hit?.observed !== true)
    return { ...notPossible(`${seen}: not by Seawall, which only watches`), would };
  return { ...notHeld(`${seen}: only watched`, ENFORCE), promised: false, would };
}

/**
 * Returns what became of a greeting by TLS. A connection that ends or an alert may come from the other side as well,
 * so only the gate's own record of this very name shows that it was the gate.
 */
export function judgeGreeting(answer: Answer, pledge: Pledge, hit: LogHit | null): Judged {
  const isThrough = answer.outcome === "reached" && answer.code.startsWith("TLSv");
  if (hit !== null && !hit.observed && !isThrough) return held(evidenceOf(answer, hit));
  if (pledge.kind === "refused" && answer.outcome === "refused")
    return notPossible(`${evidenceOf(answer, hit)}: the log does not say by whom (seawall daemon)`);
  return judgeAttempt(answer, pledge, hit);
}

/** Returns what became of a question for a name that no rule lists: nobody but our gate may answer it. */
export function judgeQuestion(answer: Answer, pledge: Pledge, hit: LogHit | null): Judged {
  if (answer.dns === null) return judgeAttempt(answer, pledge, hit);
  const { rcode, ede } = answer.dns;
  const code = RCODES[rcode] ?? `rcode ${rcode}`;
  if (ede?.startsWith("seawall ") === true)
    return held(`${code} in ${answer.ms} ms; gate: ${ede.replace(/^seawall /, "")}`);
  if (pledge.kind === "watched")
    return {
      ...notHeld(`${code} in ${answer.ms} ms: only watched`, ENFORCE),
      promised: false,
      would: pledge.would,
    };
  return judgeAttempt({ ...answer, code: `${code} from another resolver` }, pledge, hit);
}

const RCODES: Readonly<Record<number, string>> = { 0: "NOERROR", 2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED" };

/** Returns an answer in words: `ECONNREFUSED in 0 ms; kernel: default`. */
export function evidenceOf({ code, ms }: Answer, hit: LogHit | null): string {
  const said = `${code} in ${ms} ms`;
  if (hit === null) return said;
  const what = [hit.rule ?? hit.reason, hit.refusal].filter((word) => word !== null).join(" ");
  return `${said}; ${hit.by}: ${hit.observed ? "would refuse, " : ""}${what}`;
}
