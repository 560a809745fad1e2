/** The comment that stands in the kernel beside a generation: it says which policy of the history it is. */

/** Returns the seal of a policy. */
export function sealOf(entry: { readonly id: number; readonly sha256: string }): string {
  return `policy ${entry.id} sha256 ${entry.sha256}`;
}

/** Returns the id in a seal, or undefined for any other text. */
export function sealedId(seal: string): number | undefined {
  const id = /^policy (\d{1,9}) sha256 [0-9a-f]{64}$/.exec(seal)?.[1];
  return id === undefined ? undefined : Number(id);
}
