/** Names that the kernel and everybody who reads it share; nothing else, so that `status` loads nothing else. */
export const TABLE = "seawall";

/** The set that holds the lease of a generation; its comment is the generation's seal. */
export function leaseName(generation: number): string {
  return `g${generation}/lease`;
}

/** The set in which a gate that is well leaves its sign of life, by family. */
export const ALIVE_SET = "gate_alive";

/** Returns the name of the counter of all packets of a zone or scope that a line may tell of. */
export function lineCounterName(
  direction: "inbound" | "outbound",
  place: string,
  verdict: "accept" | "refuse" | "drop",
): string {
  return `count_line/${direction === "inbound" ? "in" : "out"}/${place}/${verdict}`;
}

/** Returns what such a counter counts, or undefined for another object's name. */
export function lineCounterOf(
  title: string,
):
  | { readonly direction: "inbound" | "outbound"; readonly place: string; readonly verdict: LineVerdict }
  | undefined {
  const [, way, place, verdict] = /^count_line\/(in|out)\/([^/]+)\/(accept|refuse|drop)$/.exec(title) ?? [];
  if (place === undefined) return undefined;
  return { direction: way === "in" ? "inbound" : "outbound", place, verdict: verdict as LineVerdict };
}

type LineVerdict = "accept" | "refuse" | "drop";

/** Returns the key of the counter of what was over a place's share of the connection table; `count_` stands before it. */
export function fullCounterKey(direction: "inbound" | "outbound", place: string): string {
  return `full/${direction === "inbound" ? "in" : "out"}/${place}`;
}

/** Returns whose such a counter is, or undefined for another object's name. */
export function fullCounterOf(
  title: string,
): { readonly direction: "inbound" | "outbound"; readonly place: string } | undefined {
  const [, way, place] = /^count_full\/(in|out)\/([^/]+)$/.exec(title) ?? [];
  return place === undefined ? undefined : { direction: way === "in" ? "inbound" : "outbound", place };
}
