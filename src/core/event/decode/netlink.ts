/** Reading netlink bytes, see netlink(7). Hostile or damaged bytes end a walk early and never throw. */

/** Message types below this one are control messages. */
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLMSG_OVERRUN = 4;

const HEADER_BYTES = 16;
const ATTRIBUTE_HEADER_BYTES = 4;
/** Takes off the flags "nested" and "network byte order". */
const TYPE_MASK = 0x3fff;

/** Calls `visit` for each whole message in the first `length` bytes; `from` is behind its 16-byte header. */
export function eachMessage(
  view: DataView,
  length: number,
  visit: (type: number, from: number, to: number, sequence: number) => void,
): void {
  const end = Math.min(length, view.byteLength);
  let at = 0;
  while (at + HEADER_BYTES <= end) {
    const size = view.getUint32(at, true);
    if (size < HEADER_BYTES || size > end - at) return;
    visit(view.getUint16(at + 4, true), at + HEADER_BYTES, at + size, view.getUint32(at + 8, true));
    at += (size + 3) & ~3;
  }
}

/** Calls `visit` for each whole attribute in [from, to); the range it gets is the payload. */
export function eachAttribute(
  view: DataView,
  from: number,
  to: number,
  visit: (type: number, from: number, to: number) => void,
): void {
  const end = Math.min(to, view.byteLength);
  let at = from;
  while (at + ATTRIBUTE_HEADER_BYTES <= end) {
    const size = view.getUint16(at, true);
    if (size < ATTRIBUTE_HEADER_BYTES || size > end - at) return;
    visit(view.getUint16(at + 2, true) & TYPE_MASK, at + ATTRIBUTE_HEADER_BYTES, at + size);
    at += (size + 3) & ~3;
  }
}
