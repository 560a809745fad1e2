import { type ByteHold, createByteHold } from "./byte-hold.ts";

export type LineScan =
  | { readonly kind: "more" }
  /** A line without its CRLF, one character a byte. */
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "refused"; readonly problem: "malformed" | "too-long"; readonly at: number };

/** Cuts a stream into lines that end in CRLF and nothing else; looks at every byte once. */
export interface LineScanner {
  /** Returns how many bytes of the chunk were taken; those behind the limit are not. */
  push(chunk: Uint8Array): number;
  next(): LineScan;
  /** How many bytes the lines so far had, CRLF included. */
  lineEnd(): number;
  /** How many bytes were taken so far. */
  held(): number;
  /** A copy of the first bytes. */
  take(length: number): Uint8Array;
}

const TAB = 9;
const LF = 10;
const CR = 13;
const DEL = 127;
const MORE: LineScan = { kind: "more" };

/** SECURITY: a bare CR or LF, NUL and every other control character but the tab are refused (RFC 9112 2.2). */
export function createLineScanner(bytesMax: number): LineScanner {
  const hold: ByteHold = createByteHold(bytesMax);
  let at = 0;
  let lineStart = 0;
  let refusal: LineScan | undefined;

  const scan = (): LineScan => {
    const bytes = hold.bytes();
    while (at < bytes.length) {
      const byte = bytes[at] ?? 0;
      const afterCr = at > lineStart && bytes[at - 1] === CR;
      const isWrong = (byte === LF) !== afterCr || (byte < 32 && byte !== TAB && byte !== LF && byte !== CR);
      if (isWrong || byte === DEL) return { kind: "refused", problem: "malformed", at };
      at += 1;
      if (byte !== LF) continue;
      const text = byteText(bytes, lineStart, at - 2);
      lineStart = at;
      return { kind: "line", text };
    }
    return at < bytesMax ? MORE : { kind: "refused", problem: "too-long", at };
  };

  return {
    push: (chunk) => hold.append(chunk),
    next() {
      if (refusal !== undefined) return refusal;
      const found = scan();
      if (found.kind === "refused") refusal = found;
      return found;
    },
    lineEnd: () => lineStart,
    held: () => hold.bytes().length,
    take: (length) => hold.bytes().slice(0, length),
  };
}

function byteText(bytes: Uint8Array, from: number, to: number): string {
  let text = "";
  for (let at = from; at < to; at += 1) text += String.fromCharCode(bytes[at] ?? 0);
  return text;
}
