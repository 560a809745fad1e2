export type StatusRead =
  | { readonly kind: "more" }
  | { readonly kind: "status"; readonly code: number }
  | { readonly kind: "refused" };

const SHAPE = "HTTP/1.d ddd";

/**
 * Returns the status that a response begins with (RFC 9112 4), as soon as the byte behind it is there. That may
 * be an interim one (100, 103): the next response then follows its empty line.
 */
export function readStatus(bytes: Uint8Array): StatusRead {
  let code = 0;
  for (let at = 0; at < SHAPE.length; at += 1) {
    const byte = bytes[at];
    if (byte === undefined) return { kind: "more" };
    const isDigit = byte >= 48 && byte <= 57;
    if (SHAPE[at] === "d" ? !isDigit : byte !== SHAPE.charCodeAt(at)) return { kind: "refused" };
    if (at >= SHAPE.length - 3) code = code * 10 + byte - 48;
  }
  const after = bytes[SHAPE.length];
  if (after === undefined) return { kind: "more" };
  const isEnd = after === 32 || after === 13;
  return isEnd && code >= 100 && code <= 599 ? { kind: "status", code } : { kind: "refused" };
}
