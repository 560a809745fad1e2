import { HEADER_BYTES } from "./name.ts";

/** `too-long`: over the limit. `too-short`: no room for a header. Either way the connection is to be closed. */
export type FramesRead =
  | { readonly ok: true; readonly messages: readonly Uint8Array[] }
  | {
      readonly ok: false;
      readonly problem: "too-long" | "too-short";
      readonly messages: readonly Uint8Array[];
    };

export interface TcpFrames {
  /** Takes the next bytes of the stream and returns the messages that they complete, as copies. */
  push(chunk: Uint8Array): FramesRead;
  /** Bytes of the message that is not complete yet; 0 between messages. */
  heldBytes(): number;
}

const PREFIX_BYTES = 2;
const NO_BYTES = new Uint8Array(0);

/**
 * Returns a splitter for one TCP stream of messages with a length of two bytes before each (RFC 1035 4.2.2,
 * RFC 7766 8). It never holds more than `limitBytes` and copies each byte once, however small the chunks are;
 * what follows a refused length is never read.
 */
export function parseTcpFrames(limitBytes: number): TcpFrames {
  let prefix = 0;
  let prefixBytes = 0;
  let message = NO_BYTES;
  let filled = 0;
  let problem: "too-long" | "too-short" | null = null;

  const takeLength = (byte: number): void => {
    prefix = (prefix << 8) | byte;
    prefixBytes += 1;
    if (prefixBytes < PREFIX_BYTES) return;
    if (prefix < HEADER_BYTES) problem = "too-short";
    else if (prefix > limitBytes) problem = "too-long";
    else message = new Uint8Array(prefix);
  };
  return {
    push(chunk) {
      const messages: Uint8Array[] = [];
      let at = 0;
      while (at < chunk.length && problem === null) {
        if (prefixBytes < PREFIX_BYTES) {
          takeLength(chunk[at] ?? 0);
          at += 1;
          continue;
        }
        const part = chunk.subarray(at, at + message.length - filled);
        message.set(part, filled);
        at += part.length;
        filled += part.length;
        if (filled < message.length) break;
        messages.push(message);
        message = NO_BYTES;
        prefix = 0;
        prefixBytes = 0;
        filled = 0;
      }
      return problem === null ? { ok: true, messages } : { ok: false, problem, messages };
    },
    heldBytes: () => (problem === null ? prefixBytes + filled : 0),
  };
}

/** Returns the message with its length before it, in one piece (RFC 7766 8). */
export function frameOf(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(PREFIX_BYTES + message.length);
  frame[0] = message.length >>> 8;
  frame[1] = message.length;
  frame.set(message, PREFIX_BYTES);
  return frame;
}
