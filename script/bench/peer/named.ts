/** Returns figures or comparisons whose contenders are under one heading: `heading: contender`. */
export function named<One extends { readonly what: string }>(heading: string, all: readonly One[]): One[] {
  return all.map((one) => ({ ...one, what: `${heading}: ${one.what}` }));
}
