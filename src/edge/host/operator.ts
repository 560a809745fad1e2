/** Who is on this machine over the network now: the peers of sshd, and the connection we were called through. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { type Ip, parseIp } from "../../core/net/ip.ts";

export interface SshConnection {
  readonly peer: Ip;
  readonly peerPort: number;
  readonly local: Ip;
  readonly localPort: number;
}

/** LIMIT: parents walked up from a process. */
const ANCESTORS_MAX = 64;
const SSHD = new Set(["sshd", "sshd-session", "sshd-auth", "dropbear"]);

/** Returns the established connections of every sshd in this network namespace. */
export function sshConnections(): SshConnection[] {
  const servers = processes().filter((pid) => SSHD.has(commandOf(pid)));
  return connectionsOf(servers);
}

/**
 * Returns the SSH connections through which process `pid` is reached: those of the sshd processes among its
 * ancestors and, inside tmux or screen, of every attached client. Empty on a local console.
 */
export function connectionsAbove(pid: number): SshConnection[] {
  const above = ancestors(pid);
  const multiplexed = above.some((one) => /^(tmux: server|screen|SCREEN)/.test(commandOf(one)));
  const clients = multiplexed
    ? processes().filter((one) => /^(tmux: client|tmux|screen)$/.test(commandOf(one)))
    : [];
  const lines = [above, ...clients.map(ancestors)];
  return connectionsOf([...new Set(lines.flat().filter((one) => SSHD.has(commandOf(one))))]);
}

function connectionsOf(pids: readonly number[]): SshConnection[] {
  const owned = new Set(pids.flatMap(socketInodes));
  const table = tcpTable();
  const listening = new Set(table.filter(({ state }) => state === LISTEN).map(({ localPort }) => localPort));
  return table.filter(
    ({ state, inode, localPort }) => state === ESTABLISHED && owned.has(inode) && listening.has(localPort),
  );
}

const ESTABLISHED = "01";
const LISTEN = "0A";

interface TcpRow extends SshConnection {
  readonly state: string;
  readonly inode: string;
}

/** proc(5) /proc/net/tcp: addresses are hexadecimal words in host byte order, ports in network order. */
function tcpTable(): TcpRow[] {
  return ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((path) =>
    read(path)
      .split("\n")
      .slice(1)
      .flatMap((line) => {
        const fields = line.trim().split(/\s+/);
        const local = endpoint(fields[1]);
        const peer = endpoint(fields[2]);
        const [state, inode] = [fields[3], fields[9]];
        if (local === undefined || peer === undefined || state === undefined || inode === undefined)
          return [];
        return [{ local: local.ip, localPort: local.port, peer: peer.ip, peerPort: peer.port, state, inode }];
      }),
  );
}

function endpoint(text: string | undefined): { ip: Ip; port: number } | undefined {
  const [address, port] = text?.split(":") ?? [];
  if (address === undefined || port === undefined) return undefined;
  const words = address.match(/.{8}/g)?.map((word) => word.match(/../g)?.toReversed().join("") ?? "");
  if (words === undefined) return undefined;
  const bytes = words.join("");
  const ip = parseIp(
    bytes.length === 8
      ? (bytes.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)).join(".")
      : (bytes.match(/.{4}/g) ?? []).join(":"),
  );
  return ip === undefined ? undefined : { ip, port: Number.parseInt(port, 16) };
}

function socketInodes(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

function ancestors(pid: number): number[] {
  const line: number[] = [];
  let at = pid;
  while (at > 1 && line.length < ANCESTORS_MAX) {
    line.push(at);
    // The command name stands in parentheses and may contain anything; the parent is the second field after it.
    const stat = read(`/proc/${at}/stat`);
    at = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? 0);
  }
  return line;
}

function processes(): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);
}

function commandOf(pid: number): string {
  return read(`/proc/${pid}/comm`).trim();
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
