import { readField } from "./field.ts";
import { createLineScanner, type LineScanner } from "./line-scan.ts";

/** Follows one chunked body (RFC 9112 7.1) and says where it ends; the bytes themselves pass unchanged. */
export interface ChunkedReader {
  /** Returns how many bytes of the chunk belong to the body, and whether it goes on, ended, or broke there. */
  push(chunk: Uint8Array): {
    readonly taken: number;
    readonly state: "open" | "ended" | "malformed" | "too-long";
  };
}

/** LIMIT: eight hexadecimal digits, 4 GiB a chunk. */
const SIZE_DIGITS_MAX = 8;
/** LIMIT: bytes of the trailer section with its empty line. */
const TRAILER_BYTES_MAX = 4_096;
/** LIMIT: what is looked at at once, because it is copied. */
const PIECE_BYTES = 256;
const CR = 13;
const LF = 10;

/** What the next byte has to be. `trailer` is left to the line scanner. */
type Expects = "size" | "size-lf" | "content" | "content-cr" | "content-lf" | "trailer";

/**
 * SECURITY: chunk extensions are refused: nothing of ours needs them, and their line ends are read differently
 * by different servers. A trailer that would be framing or routing as a header is refused (RFC 9110 6.5.1).
 */
export function createChunkedReader(): ChunkedReader {
  let expects: Expects = "size";
  let size = 0;
  let digits = 0;
  let trailer: LineScanner | undefined;

  /** Takes one byte that is not content; false: it is not what has to be there. */
  const takeByte = (byte: number): boolean => {
    switch (expects) {
      case "size": {
        const digit = hexDigit(byte);
        if (digit >= 0 && digits < SIZE_DIGITS_MAX) {
          size = size * 16 + digit;
          digits += 1;
          return true;
        }
        expects = "size-lf";
        return byte === CR && digits > 0;
      }
      case "size-lf":
        expects = size === 0 ? "trailer" : "content";
        digits = 0;
        return byte === LF;
      case "content-cr":
        expects = "content-lf";
        return byte === CR;
      case "content-lf":
        expects = "size";
        return byte === LF;
      case "content":
      case "trailer":
        return false;
    }
  };

  return {
    push(chunk) {
      let at = 0;
      while (at < chunk.length) {
        if (expects === "content") {
          const taken = Math.min(size, chunk.length - at);
          size -= taken;
          at += taken;
          if (size === 0) expects = "content-cr";
        } else if (expects === "trailer") {
          trailer ??= createLineScanner(TRAILER_BYTES_MAX);
          const { taken, state } = readTrailer(trailer, chunk.subarray(at, at + PIECE_BYTES));
          at += taken;
          if (state !== "open") return { taken: at, state };
        } else {
          if (!takeByte(chunk[at] ?? 0)) return { taken: at, state: "malformed" };
          at += 1;
        }
      }
      return { taken: at, state: "open" };
    },
  };
}

const FORBIDDEN_TRAILERS: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "host",
  "transfer-encoding",
  "upgrade",
]);

function readTrailer(trailer: LineScanner, chunk: Uint8Array): ReturnType<ChunkedReader["push"]> {
  const before = trailer.held();
  trailer.push(chunk);
  for (;;) {
    const line = trailer.next();
    if (line.kind === "more") return { taken: chunk.length, state: "open" };
    if (line.kind === "refused") return { taken: line.at - before, state: line.problem };
    if (line.text === "") return { taken: trailer.lineEnd() - before, state: "ended" };
    const name = readField(line.text)?.name.toLowerCase();
    // Without its LF the line is not passed on, in whatever pieces it came.
    if (name === undefined || FORBIDDEN_TRAILERS.has(name))
      return { taken: trailer.lineEnd() - before - 1, state: "malformed" };
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
