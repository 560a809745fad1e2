/** One way around the policy, and whether it is open from where the agent is. */
export type RowStatus = "held" | "not-held" | "not-possible";

export interface Judged {
  readonly status: RowStatus;
  /** What came back, or why it cannot be tried on this machine. */
  readonly evidence: string;
  /** What would hold it; null where it is held or cannot be tried. */
  readonly cure: string | null;
  /** Whether the policy in force says that this is refused. */
  readonly promised: boolean;
  /** A known limit of the design, said in the documentation. */
  readonly limit: boolean;
  /** In observe: what enforce would do. */
  readonly would: string | null;
}

export interface ProofRow extends Judged {
  readonly scope: string;
  readonly id: string;
  readonly title: string;
}

/** Whether something is open that the policy promises to be shut. */
export function breaksPromise({ status, promised, limit }: Judged): boolean {
  return status === "not-held" && promised && !limit;
}

export function held(evidence: string): Judged {
  return { status: "held", evidence, cure: null, promised: true, limit: false, would: null };
}

export function notHeld(evidence: string, cure: string): Judged {
  return { status: "not-held", evidence, cure, promised: true, limit: false, would: null };
}

export function notPossible(evidence: string): Judged {
  return { status: "not-possible", evidence, cure: null, promised: false, limit: false, would: null };
}

/** SECURITY: an attempt that broke shows nothing, and the agent can kill what has its uid: so it is never skipped. */
export function notShown(why: string): Judged {
  return notHeld(`not shown: the attempt itself failed: ${why}`, "seawall prove, once more");
}
