/** What a packet that the kernel sent says about a probe of ours. */
import { ICMP4, ICMP6, TCP, UDP } from "./packet.ts";

export type Answer =
  /** The `probe` table answered: the packet got past everything before it. */
  | { readonly kind: "reached"; readonly sourcePort: number }
  /** TCP reset or ICMP unreachable of somebody else. */
  | { readonly kind: "refused"; readonly sourcePort: number; readonly how: string }
  /** Not an answer: a packet on its own way. */
  | { readonly kind: "packet"; readonly sourcePort: number; readonly protocol: number }
  | { readonly kind: "noise"; readonly protocol: number };

/** ICMP codes of `reject with icmpx type host-unreachable`, which nothing else here uses. */
const REACHED4_CODE = 1;
const REACHED6_CODE = 3;
const UNREACHABLE4 = 3;
const UNREACHABLE6 = 1;
const TCP_RST = 4;
const DESTINATION_OPTIONS = 60;

/** Reads one IP packet. Everything that is not understood is `noise`. */
export function readAnswer(bytes: Uint8Array): Answer {
  const isV4 = (bytes[0] ?? 0) >> 4 === 4;
  const { protocol, at } = layer4(bytes, isV4);
  if (protocol === TCP && ((bytes[at + 13] ?? 0) & TCP_RST) !== 0) {
    return { kind: "refused", sourcePort: word(bytes, at + 2), how: "tcp reset" };
  }
  if (protocol === (isV4 ? ICMP4 : ICMP6)) {
    const type = bytes[at] ?? 0;
    const code = bytes[at + 1] ?? 0;
    if (type === (isV4 ? UNREACHABLE4 : UNREACHABLE6)) {
      const sourcePort = quotedSourcePort(bytes.subarray(at + 8));
      if (code === (isV4 ? REACHED4_CODE : REACHED6_CODE)) return { kind: "reached", sourcePort };
      return { kind: "refused", sourcePort, how: `icmp unreachable, code ${code}` };
    }
    if (type === (isV4 ? 8 : 128)) return { kind: "packet", sourcePort: word(bytes, at + 4), protocol };
    return { kind: "noise", protocol };
  }
  const hasPorts = protocol === TCP || protocol === UDP || protocol === 132;
  if (hasPorts) return { kind: "packet", sourcePort: word(bytes, at), protocol };
  if (protocol === 253) return { kind: "packet", sourcePort: 0, protocol };
  return { kind: "noise", protocol };
}

/** The source port (ICMP: identifier) of the packet that an ICMP error quotes; 0 where there is none. */
function quotedSourcePort(bytes: Uint8Array): number {
  const isV4 = (bytes[0] ?? 0) >> 4 === 4;
  const { protocol, at } = layer4(bytes, isV4);
  if (protocol === ICMP4 || protocol === ICMP6) return word(bytes, at + 4);
  return protocol === 253 ? 0 : word(bytes, at);
}

/** The protocol and where its header begins, behind options that a probe of ours may have. */
function layer4(bytes: Uint8Array, isV4: boolean): { protocol: number; at: number } {
  if (isV4) return { protocol: bytes[9] ?? 0, at: ((bytes[0] ?? 0) & 15) * 4 };
  if (bytes[6] === DESTINATION_OPTIONS) return { protocol: bytes[40] ?? 0, at: 48 };
  return { protocol: bytes[6] ?? 0, at: 40 };
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
