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

/**
 * Returns the connections of everybody who is logged in over SSH in this network namespace. Somebody who came
 * by mosh stands with the SSH connection that began it.
 */
export function sshConnections(): SshConnection[] {
  const all = processes();
  const servers = all.filter((pid) => SSHD.has(commandOf(pid)));
  return [...connectionsOf(servers), ...all.filter(isMosh).flatMap(beganBy)];
}

/** How a process is reached: over which SSH connections, and whether at all from this machine's own console. */
export interface Reached {
  /** Those of the sshd processes among its ancestors and, inside tmux or screen, of every attached client. */
  readonly connections: readonly SshConnection[];
  readonly kind: "ssh" | "mosh" | "console" | "detached";
}

/** Returns how process `pid` is reached. */
export function reachOf(pid: number): Reached {
  const above = ancestors(pid);
  const multiplexed = above.some((one) => /^(tmux: server|screen|SCREEN)/.test(commandOf(one)));
  const clients = multiplexed
    ? processes().filter((one) => /^(tmux: client|tmux|screen)$/.test(commandOf(one)))
    : [];
  const lines = [above, ...clients.map(ancestors)].flat();
  const connections = connectionsOf([...new Set(lines.filter((one) => SSHD.has(commandOf(one))))]);
  if (connections.length > 0 || lines.some((one) => SSHD.has(commandOf(one))))
    return { connections, kind: "ssh" };
  if (lines.some(isMosh)) return { connections, kind: "mosh" };
  return { connections, kind: hasConsole(pid) ? "console" : "detached" };
}

/** Whether the controlling terminal is one of the machine itself (proc(5) tty_nr), not one of a session's. */
function hasConsole(pid: number): boolean {
  const stat = read(`/proc/${pid}/stat`);
  const terminal = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[4] ?? 0);
  const major = (terminal >>> 8) & 0xfff;
  return CONSOLE_MAJORS.has(major);
}

/** devices.txt of the kernel: tty and ttyS, console, ttyAMA and other serial lines, hvc. */
const CONSOLE_MAJORS = new Set([4, 5, 204, 229]);

function isMosh(pid: number): boolean {
  return commandOf(pid) === "mosh-server";
}

/** mosh-server keeps the environment of the SSH session that began it: `SSH_CONNECTION=peer port local port`. */
function beganBy(pid: number): SshConnection[] {
  const line = read(`/proc/${pid}/environ`)
    .split("\0")
    .find((entry) => entry.startsWith("SSH_CONNECTION="));
  const [peer, peerPort, local, localPort] = line?.slice("SSH_CONNECTION=".length).split(" ") ?? [];
  const ends = [parseIp(peer ?? ""), parseIp(local ?? "")];
  const [from, to] = ends;
  if (from === undefined || to === undefined) return [];
  return [{ peer: from, peerPort: Number(peerPort), local: to, localPort: Number(localPort) }];
}

/**
 * SECURITY: a session's own sshd listens where the client asked it to (`ssh -R`), and whoever connects there is
 * no operator. Only ports on which somebody else listens are ports that one logs in by.
 */
function connectionsOf(pids: readonly number[]): SshConnection[] {
  const owned = new Set(pids.flatMap(socketInodes));
  const sessions = processes().filter(isSession);
  const forwarded = new Set(sessions.flatMap(socketInodes));
  const table = tcpTable();
  const listening = table.filter(({ state }) => state === LISTEN);
  const asked = new Set(
    listening.filter(({ inode }) => forwarded.has(inode)).map(({ localPort }) => localPort),
  );
  const ports = new Set(listening.map(({ localPort }) => localPort).filter((port) => !asked.has(port)));
  return table.filter(
    ({ state, inode, localPort }) => state === ESTABLISHED && owned.has(inode) && ports.has(localPort),
  );
}

const SSH_PORT = 22;

/** Returns the ports on which one may log in here: 22, those of every sshd that runs, and those people are on now. */
export function sshPorts(): number[] {
  const servers = processes().filter((pid) => SSHD.has(commandOf(pid)) && !isSession(pid));
  const inodes = new Set(servers.flatMap(socketInodes));
  const listening = tcpTable().filter(({ state, inode }) => state === LISTEN && inodes.has(inode));
  const found = [SSH_PORT, ...[...listening, ...sshConnections()].map(({ localPort }) => localPort)];
  return [...new Set(found)].sort((left, right) => left - right);
}

/** An sshd that another sshd began: one login. */
function isSession(pid: number): boolean {
  if (!SSHD.has(commandOf(pid))) return false;
  return ancestors(pid)
    .slice(1)
    .some((parent) => SSHD.has(commandOf(parent)));
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
