/** The comment that stands in the kernel beside a generation: which policy of the history it is, and its mode. */

export interface Seal {
  readonly id: number;
  readonly mode: { readonly inbound: string; readonly outbound: string };
  readonly sha256: string;
}

/** Returns the seal of a policy. */
export function sealOf({ id, mode, sha256 }: Seal): string {
  return `policy ${id} ${mode.inbound} ${mode.outbound} sha256 ${sha256}`;
}

/** Returns what a seal says, or undefined for any other text. */
export function parseSeal(text: string): Seal | undefined {
  const match = /^policy (\d{1,9}) (observe|enforce) (observe|enforce) sha256 ([0-9a-f]{64})$/.exec(text);
  const [, id, inbound, outbound, sha256] = match ?? [];
  if (id === undefined || inbound === undefined || outbound === undefined || sha256 === undefined)
    return undefined;
  return { id: Number(id), mode: { inbound, outbound }, sha256 };
}
