/** Counts what is missing between the kernel's numbers of logged packets. */
export interface SequenceCheck {
  /** Returns how many numbers were left out before this one; the first number has no predecessor. */
  next(sequence: number): number;
}

/**
 * LIMIT: a larger step, or one backwards, is not a gap: the kernel's counter restarted because the group was
 * bound again.
 */
export const SEQUENCE_GAP_MAX = 0x4000_0000;

/** Numbers are unsigned 32 bit and wrap around. */
export function createSequenceCheck(): SequenceCheck {
  let last: number | undefined;
  return {
    next(sequence) {
      const missing = last === undefined ? 0 : (sequence - last - 1) >>> 0;
      last = sequence;
      return missing <= SEQUENCE_GAP_MAX ? missing : 0;
    },
  };
}
