/** RFC 1035 2.3.4: a name with its length bytes and the root's zero byte. */
export const NAME_BYTES_MAX = 255;
const LABEL_BYTES_MAX = 63;
export const HEADER_BYTES = 12;
/** LIMIT: pointers followed for one name; each useful one is followed by a label, and no name has more labels. */
const POINTERS_MAX = 127;
const POINTER_BITS = 0xc0;

/** How each byte is shown: letters in lower case, what no host name has as `\DDD` (RFC 1035 5.1). */
const SPELLING: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const letter = String.fromCharCode(byte);
  return /[A-Za-z0-9_-]/.test(letter) ? letter.toLowerCase() : `\\${String(byte).padStart(3, "0")}`;
});

export interface NameRead {
  /** The place behind the name where it stands; behind the first pointer when it has one. */
  readonly next: number;
  /** The whole name without pointers, as many bytes as were written into `into`. */
  readonly wireBytes: number;
}

/**
 * Copies the name at `from` into `into` at `intoAt`, pointers followed, and returns where it ends. Undefined
 * when it leaves [from, end), is longer than RFC 1035 2.3.4 allows, or has a pointer that does not lead
 * strictly backwards behind the header. With `pointers: "refuse"` every pointer is refused.
 */
export function expandName(
  bytes: Uint8Array,
  from: number,
  end: number,
  { into, intoAt, pointers }: { into: Uint8Array; intoAt: number; pointers: "follow" | "refuse" },
): NameRead | undefined {
  let at = from;
  let next = -1;
  let written = 0;
  let jumps = 0;
  // INVARIANT: each pointer leads to below the lowest place seen, so that no chain of them has a loop.
  let lowest = from;
  while (at < end) {
    const length = bytes[at] ?? 0;
    if (length === 0) {
      into[intoAt + written] = 0;
      return { next: next < 0 ? at + 1 : next, wireBytes: written + 1 };
    }
    if (length >= POINTER_BITS) {
      const target = pointers === "refuse" ? -1 : pointerTarget(bytes, at, end);
      jumps += 1;
      if (target < HEADER_BYTES || target >= lowest || jumps > POINTERS_MAX) return undefined;
      if (next < 0) next = at + 2;
      at = target;
      lowest = target;
      continue;
    }
    const after = at + 1 + length;
    if (length > LABEL_BYTES_MAX || after > end || written + length + 2 > NAME_BYTES_MAX) return undefined;
    copyBytes(bytes, at, after, into, intoAt + written);
    written += after - at;
    at = after;
  }
  return undefined;
}

/** A label is too short for set and subarray to be worth their objects. */
function copyBytes(bytes: Uint8Array, from: number, to: number, into: Uint8Array, intoAt: number): void {
  for (let at = from; at < to; at += 1) into[intoAt + at - from] = bytes[at] ?? 0;
}

/** RFC 1035 4.1.4; -1 when its second byte is missing. */
function pointerTarget(bytes: Uint8Array, at: number, end: number): number {
  return at + 2 > end ? -1 : (((bytes[at] ?? 0) & 0x3f) << 8) | (bytes[at + 1] ?? 0);
}

/**
 * Returns the text of a name without pointers: lower case, no trailing dot, "" for the root, bytes that no
 * host name has (a dot inside a label among them) as `\DDD`. Two names have one text when they are the same
 * to DNS (RFC 4343), and only then.
 */
export function spellName(wire: Uint8Array, from = 0): string {
  let text = "";
  let at = from;
  for (let length = wire[at] ?? 0; length > 0; length = wire[at] ?? 0) {
    if (text !== "") text += ".";
    const after = at + 1 + length;
    for (at += 1; at < after; at += 1) text += SPELLING[wire[at] ?? 0] ?? "";
  }
  return text;
}

/** Returns the name that a text of spellName or a Hostname spells, or undefined when it is none. */
export function encodeName(text: string): Uint8Array | undefined {
  const wire = new Uint8Array(NAME_BYTES_MAX);
  let at = 0;
  if (text !== "") {
    for (const label of text.split(".")) {
      const bytes = labelBytes(label);
      if (bytes === undefined || at + bytes.length + 2 > NAME_BYTES_MAX) return undefined;
      wire[at] = bytes.length;
      wire.set(bytes, at + 1);
      at += bytes.length + 1;
    }
  }
  return wire.slice(0, at + 1);
}

/** Returns the bytes of one label, 1 to 63 of them, or undefined. */
export function labelBytes(label: string): readonly number[] | undefined {
  const bytes: number[] = [];
  for (let at = 0; at < label.length; at += 1) {
    const code = label.charCodeAt(at);
    if (code > 255) return undefined;
    if (code !== 92) bytes.push(code);
    else {
      const digits = label.slice(at + 1, at + 4);
      if (!/^[0-2][0-9]{2}$/.test(digits) || Number(digits) > 255) return undefined;
      bytes.push(Number(digits));
      at += 3;
    }
  }
  return bytes.length === 0 || bytes.length > LABEL_BYTES_MAX ? undefined : bytes;
}

/** Returns the names above a name, the nearest first and the root ("") last; none for the root itself. */
export function ancestorsOf(name: string): readonly string[] {
  const above: string[] = [];
  let rest = name;
  while (rest !== "") {
    const dot = rest.indexOf(".");
    rest = dot < 0 ? "" : rest.slice(dot + 1);
    above.push(rest);
  }
  return above;
}

/** Whether `name` is `ancestor` or stands below it; everything stands below the root. */
export function isAtOrBelow(name: string, ancestor: string): boolean {
  if (ancestor === "" || name === ancestor) return true;
  return name.endsWith(ancestor) && name.charCodeAt(name.length - ancestor.length - 1) === 46;
}
