// Asked for, not imported: see cli/main.ts.
const { crc32 } = process.getBuiltinModule("node:zlib");

/**
 * Returns a checksum of the parts and of where each ends. It tells a change, not an attacker: who can change the
 * kernel's rules can change our files too.
 */
export function digestOf(parts: readonly Uint8Array[]): string {
  let sum = 0;
  let bytes = 0;
  for (const part of parts) {
    sum = crc32(`${part.length}:`, crc32(part, sum));
    bytes += part.length;
  }
  return `${sum.toString(16).padStart(8, "0")}-${parts.length}-${bytes}`;
}
