import { readFileSync } from "node:fs";
import type { Listener } from "../../core/init/facts.ts";
import { type Ip, isLoopback, parseIp } from "../../core/net/ip.ts";
import { processIds } from "../host/proc.ts";
import { socketsOf } from "../host/socket.ts";
import { commOf } from "./process.ts";

/** TCP_LISTEN; and the state that udp(7) sockets without a peer show. */
const WAITING = { tcp: "0A", udp: "07" } as const;

/** Returns every listening socket of this network namespace with its process (proc(5) /proc/net). */
export function listeners(): Listener[] {
  const owners = new Map<string, number>();
  for (const pid of processIds()) {
    // The first holder is the one that opened it: children have higher numbers.
    for (const { inode } of socketsOf(pid)) if (!owners.has(inode)) owners.set(inode, pid);
  }
  return (["tcp", "udp"] as const).flatMap((protocol) =>
    [`/proc/net/${protocol}`, `/proc/net/${protocol}6`].flatMap((path) =>
      rowsOf(path, WAITING[protocol]).map(({ ip, port, inode }) => {
        const pid = owners.get(inode) ?? null;
        const program = pid === null ? null : commOf(pid);
        return { protocol, port, isLoopback: isLoopback(ip), program, pid };
      }),
    ),
  );
}

interface Row {
  readonly ip: Ip;
  readonly port: number;
  readonly inode: string;
}

function rowsOf(path: string, state: string): Row[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return [];
  }
  return text
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const fields = line.trim().split(/\s+/);
      const [local = "", peer = "", found, inode] = [fields[1], fields[2], fields[3], fields[9]];
      const [address = "", port = ""] = local.split(":");
      const ip = addressOf(address);
      if (found !== state || ip === undefined || inode === undefined || !/^[0-9A-F]+:0000$/.test(peer))
        return [];
      return [{ ip, port: Number.parseInt(port, 16), inode }];
    });
}

/** Addresses are hexadecimal words in host byte order. */
function addressOf(text: string): Ip | undefined {
  const bytes = (text.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).toReversed());
  if (bytes.length === 4) return parseIp(bytes.map((byte) => Number.parseInt(byte, 16)).join("."));
  return parseIp((bytes.join("").match(/.{4}/g) ?? []).join(":"));
}
