/** Takes an archive apart as its bytes come: nothing is held but a header, and nothing is handed on beyond a limit. */
import { BLOCK_BYTES, decodeHeader, type TarEntry } from "./tar.ts";

export interface TarSink {
  /** Returns why the entry is refused, or null. */
  readonly begin: (entry: TarEntry) => string | null;
  /** Bytes of the entry that began last. */
  readonly take: (bytes: Uint8Array) => void;
  /** The entry is whole. Returns why it is refused, or null. */
  readonly end: () => string | null;
}

export interface TarReader {
  /** Returns why the archive is refused, or null as long as it is fine. */
  readonly push: (chunk: Uint8Array) => string | null;
  /** No more bytes come. Returns why the archive is refused, or null when it was whole. */
  readonly finish: () => string | null;
}

/** LIMIT: bytes that may follow the end of the archive; tar(1) fills up to 10 KiB. */
const FILLER_BYTES_MAX = 64 * 1024;

/** Returns a reader. The first refusal is the last word. */
export function createTarReader(sink: TarSink): TarReader {
  return new Reader(sink);
}

type State =
  | { readonly kind: "header"; readonly held: Uint8Array; length: number }
  | { readonly kind: "content"; left: number; padding: number }
  | { readonly kind: "ended"; filler: number };

class Reader implements TarReader {
  readonly sink: TarSink;
  state: State = header();
  problem: string | null = null;

  constructor(sink: TarSink) {
    this.sink = sink;
  }

  push(chunk: Uint8Array): string | null {
    let rest = chunk;
    while (rest.length > 0 && this.problem === null) rest = rest.subarray(this.step(rest));
    return this.problem;
  }

  finish(): string | null {
    return this.problem ?? (this.state.kind === "ended" ? null : "it ends in the middle");
  }

  /** Takes what belongs together and returns how many bytes that were. */
  step(bytes: Uint8Array): number {
    const { state } = this;
    switch (state.kind) {
      case "header": {
        const part = bytes.subarray(0, BLOCK_BYTES - state.length);
        state.held.set(part, state.length);
        state.length += part.length;
        if (state.length === BLOCK_BYTES) this.begin(state.held);
        return part.length;
      }
      case "content": {
        const part = bytes.subarray(0, state.left > 0 ? state.left : state.padding);
        if (state.left > 0) {
          state.left -= part.length;
          this.sink.take(part);
          if (state.left === 0) this.end();
        } else {
          state.padding -= part.length;
          if (part.some((byte) => byte !== 0)) this.problem = "something is hidden between its entries";
        }
        if (state.left === 0 && state.padding === 0) this.state = header();
        return part.length;
      }
      case "ended":
        state.filler += bytes.length;
        if (state.filler > FILLER_BYTES_MAX || bytes.some((byte) => byte !== 0))
          this.problem = "something follows its end";
        return bytes.length;
    }
  }

  begin(block: Uint8Array): void {
    const entry = decodeHeader(block);
    if (entry === "end") {
      this.state = { kind: "ended", filler: 0 };
      return;
    }
    this.problem = "problem" in entry ? entry.problem : this.sink.begin(entry);
    if (this.problem !== null || "problem" in entry) return;
    const padding = (BLOCK_BYTES - (entry.bytes % BLOCK_BYTES)) % BLOCK_BYTES;
    this.state = entry.bytes === 0 ? header() : { kind: "content", left: entry.bytes, padding };
    if (entry.bytes === 0) this.end();
  }

  end(): void {
    this.problem ??= this.sink.end();
  }
}

function header(): State {
  return { kind: "header", held: new Uint8Array(BLOCK_BYTES), length: 0 };
}
