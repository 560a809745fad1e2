import { formatIp4, formatIp6, parseIp } from "../net/ip.ts";

/** Returns the 4 or 16 bytes of an address, none for text that is not one. */
export function addressBytes(text: string): Uint8Array {
  const ip = parseIp(text);
  if (ip === undefined) return new Uint8Array(0);
  const bytes = new Uint8Array(ip.family === 4 ? 4 : 16);
  const view = new DataView(bytes.buffer);
  if (ip.family === 4) {
    view.setUint32(0, ip.value);
  } else {
    view.setBigUint64(0, ip.value >> 64n);
    view.setBigUint64(8, ip.value & 0xffff_ffff_ffff_ffffn);
  }
  return bytes;
}

/** Returns the canonical text of 4 or 16 bytes, `?` for any other number of them. */
export function addressText(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length === 4) return formatIp4(view.getUint32(0));
  if (bytes.length === 16) return formatIp6((view.getBigUint64(0) << 64n) | view.getBigUint64(8));
  return "?";
}
