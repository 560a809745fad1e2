/** Text of /proc/net/tcp, tcp6, udp and udp6 (proc(5)). */
import { formatIp4, formatIp6 } from "../../net/ip.ts";

export interface SocketRow {
  readonly address: string;
  readonly port: number;
  readonly uid: number;
  readonly inode: string;
}

/** LISTEN for TCP; UDP sockets that are bound and not connected are in state CLOSE. */
const LISTENING = { tcp: "0A", udp: "07" } as const;

/** Returns the sockets that take connections, or packets from anybody. A line that is strange is left out. */
export function parseListenTable(text: string, protocol: "tcp" | "udp"): SocketRow[] {
  return text.split("\n").flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [, local = "", remote = "", state, , , , uid, , inode] = fields;
    if (
      state !== LISTENING[protocol] ||
      !/^0+:0000$/.test(remote) ||
      uid === undefined ||
      inode === undefined
    )
      return [];
    const [hex = "", port = ""] = local.split(":");
    const address = addressOf(hex);
    return address === undefined
      ? []
      : [{ address, port: Number.parseInt(port, 16), uid: Number(uid), inode }];
  });
}

/** Hexadecimal words in host byte order, little-endian on every machine we run on. */
function addressOf(hex: string): string | undefined {
  if (!/^(?:[0-9A-F]{8}|[0-9A-F]{32})$/i.test(hex)) return undefined;
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).toReversed()).join("");
  if (bytes.length === 8) return formatIp4(Number.parseInt(bytes, 16));
  const value = BigInt(`0x${bytes}`);
  // A socket for IPv4 in IPv6's clothes (RFC 4291 2.5.5.2).
  return value >> 32n === 0xffffn ? formatIp4(Number(value & 0xffff_ffffn)) : formatIp6(value);
}
