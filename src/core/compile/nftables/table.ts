/** Names that the kernel and everybody who reads it share; nothing else, so that `status` loads nothing else. */
export const TABLE = "seawall";

/** The set that holds the lease of a generation; its comment is the generation's seal. */
export function leaseName(generation: number): string {
  return `g${generation}/lease`;
}

/** The set in which a gate that is well leaves its sign of life, by family. */
export const ALIVE_SET = "gate_alive";
