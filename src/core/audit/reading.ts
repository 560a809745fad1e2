/** What is known about one thing of a host: its value, that it is not there, or why nobody could look. */
export type Reading<Value> =
  | { readonly kind: "read"; readonly value: Value }
  /** It is not there at all: `why` says so in words that a person reads. */
  | { readonly kind: "absent"; readonly why: string }
  /** It could not be seen; `needs` is what would make it readable. */
  | { readonly kind: "unreadable"; readonly why: string; readonly needs: string };

export function read<Value>(value: Value): Reading<Value> {
  return { kind: "read", value };
}

export function absent(why: string): { readonly kind: "absent"; readonly why: string } {
  return { kind: "absent", why };
}

export function unreadable(
  why: string,
  needs: string,
): { readonly kind: "unreadable"; readonly why: string; readonly needs: string } {
  return { kind: "unreadable", why, needs };
}

/** Returns the value, or `otherwise` when it is absent or could not be seen. Only where both mean the same. */
export function valueOr<Value>(reading: Reading<Value>, otherwise: Value): Value {
  return reading.kind === "read" ? reading.value : otherwise;
}
