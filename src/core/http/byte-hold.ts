/** Bytes that are kept until they can be judged, never more than a limit. */
export interface ByteHold {
  /** Copies what fits and returns how many bytes that were. */
  append(chunk: Uint8Array): number;
  /** A view that is valid until the next append. */
  bytes(): Uint8Array;
}

const FIRST_BYTES = 1_024;

/** SECURITY: copies, because a slice of a chunk would keep the whole chunk in memory. */
export function createByteHold(bytesMax: number): ByteHold {
  let room = new Uint8Array(0);
  let length = 0;
  return {
    append(chunk) {
      const taken = Math.min(chunk.length, bytesMax - length);
      if (length + taken > room.length) {
        const wider = new Uint8Array(
          Math.min(bytesMax, Math.max(FIRST_BYTES, 2 * room.length, length + taken)),
        );
        wider.set(room.subarray(0, length));
        room = wider;
      }
      room.set(chunk.subarray(0, taken), length);
      length += taken;
      return taken;
    },
    bytes: () => room.subarray(0, length),
  };
}
