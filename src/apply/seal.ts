/** The comment that stands in the kernel beside a generation: which policy of the history it is, and its mode. */

/** Why a policy is in force: somebody applied it, or as a panic, or as a pause. */
export type PolicyKind = "policy" | "panic" | "pause";

export interface Seal {
  readonly id: number;
  readonly mode: { readonly inbound: string; readonly outbound: string };
  readonly sha256: string;
  /** Absent: somebody applied it. */
  readonly kind?: PolicyKind;
  /** Whether what is allowed only until a time is left out, because nobody knew whether the clock is right. */
  readonly held?: boolean;
}

/** The seal of rules that stand in for those that could not be loaded. */
export const FALLBACK_SEAL = "fallback: the last confirmed rules could not be loaded";

/** Returns the seal of a policy. */
export function sealOf({ id, mode, sha256, kind = "policy", held = false }: Seal): string {
  const words = `${kind === "policy" ? "" : ` ${kind}`}${held ? " held" : ""}`;
  return `policy ${id} ${mode.inbound} ${mode.outbound} sha256 ${sha256}${words}`;
}

const SEAL =
  /^policy (\d{1,9}) (observe|enforce) (observe|enforce) sha256 ([0-9a-f]{64})(?: (panic|pause))?( held)?$/;

/** Returns what a seal says, or undefined for any other text. */
export function parseSeal(text: string): Required<Seal> | undefined {
  const [, id, inbound, outbound, sha256, kind, held] = SEAL.exec(text) ?? [];
  if (id === undefined || inbound === undefined || outbound === undefined || sha256 === undefined)
    return undefined;
  return {
    id: Number(id),
    mode: { inbound, outbound },
    sha256,
    kind: kind === "panic" || kind === "pause" ? kind : "policy",
    held: held !== undefined,
  };
}
