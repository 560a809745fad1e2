const PRIMES = [0x0100_0193, 0x85eb_ca6b, 0xc2b2_ae35, 0x27d4_eb2f] as const;

/**
 * Returns a 128-bit digest (four FNV-1a sums) of the parts and where each ends. It tells a change, not an attacker:
 * who can change the kernel's rules can change our files too. node:crypto would cost `status` several milliseconds.
 */
export function digestOf(parts: readonly Uint8Array[]): string {
  return PRIMES.map((prime) => {
    let sum = 0x811c_9dc5;
    for (const part of parts) {
      for (const byte of part) sum = Math.imul(sum ^ byte, prime);
      sum = Math.imul(sum ^ (part.length & 0xff) ^ 0x55, prime) ^ (sum >>> 15);
    }
    return (sum >>> 0).toString(16).padStart(8, "0");
  }).join("");
}
