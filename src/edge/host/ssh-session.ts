/**
 * Who is on this machine over the network, and which listeners are the host's SSH, by kernel facts alone: owners of
 * sockets, programs by their file, parents, terminals. A name that a process gives itself is never looked at.
 */
import type { Ip } from "../../core/net/ip.ts";
import { parentOf, processIds, readText, uidsOf } from "./proc.ts";
import { socketsOf, type TcpSocket, tcpSockets } from "./socket.ts";
import { type SshProgram, type SshPrograms, sshPrograms, type SshServer, sshServers } from "./ssh-program.ts";
import { configuredPorts, socketUnitPorts } from "./ssh-unit.ts";

export interface SshConnection {
  readonly peer: Ip;
  readonly peerPort: number;
  readonly local: Ip;
  readonly localPort: number;
}

/** Somebody who is logged in. */
export interface SshSession extends SshConnection {
  /** The server's process that has the connection. */
  readonly pid: number;
  /** Who is logged in. */
  readonly uid: number;
}

/** A socket that takes connections. */
export interface Listening {
  readonly address: Ip;
  readonly port: number;
  readonly uid: number;
  readonly inode: string;
}

export interface SshListener extends Listening {
  readonly by: Exclude<SshServer, "tailscaled"> | "systemd";
}

/** What of SSH is on this machine now. */
export interface SshSeen {
  /** Where the host's own SSH takes logins. */
  readonly listeners: readonly SshListener[];
  /** Every other listening socket, the agents' too. */
  readonly others: readonly Listening[];
  readonly sessions: readonly SshSession[];
}

/** Returns it. Needs root: others may not ask whose a process is, and see no SSH at all. */
export function lookAtSsh(): SshSeen {
  const programs = sshPrograms();
  const { table, servers, listeners } = findServers(programs);
  const known = new Set(listeners.map(({ inode }) => inode));
  const all = table.filter(isListening).map(listeningOf);
  return {
    listeners,
    others: all.filter(({ inode }) => !known.has(inode)),
    sessions: sessionsOf(programs, servers, listeners),
  };
}

/** Returns the connections of everybody who is logged in over SSH in this network namespace. */
export function sshSessions(): readonly SshSession[] {
  return lookAtSsh().sessions;
}

/** Returns the connections by which somebody came to these processes of the host's SSH. */
export function connectionsOf(pids: ReadonlySet<number>): SshConnection[] {
  const { servers, listeners } = findServers(sshPrograms());
  const ports = new Set(listeners.map(({ port }) => port));
  return servers
    .filter(({ pid }) => pids.has(pid))
    .flatMap((server) => ownConnection(server, ports) ?? [])
    .map(({ peer, peerPort, local, localPort }) => ({ peer, peerPort, local, localPort }));
}

interface Server extends SshProgram {
  readonly pid: number;
  /** Its TCP sockets by ascending descriptor. */
  readonly sockets: readonly TcpSocket[];
  /** Its parent is one, too. */
  readonly isBelow: boolean;
}

/** tailscaled ends its own SSH in itself, on its own interface: none of its sockets here is a way in. */
function findServers(programs: SshPrograms): {
  readonly table: readonly TcpSocket[];
  readonly servers: readonly Server[];
  readonly listeners: readonly SshListener[];
} {
  const table = tcpSockets();
  const byInode = new Map(table.map((socket) => [socket.inode, socket]));
  const servers = [...sshServers(programs)]
    .filter(([, { server }]) => server !== "tailscaled")
    .map(([pid, program]) => ({
      ...program,
      pid,
      sockets: socketsOf(pid).flatMap(({ inode }) => byInode.get(inode) ?? []),
      isBelow: programs.serverOf(parentOf(pid)) !== undefined,
    }));
  return { table, servers, listeners: unique([...serverListeners(servers), ...unitListeners(table)]) };
}

/**
 * SECURITY: a session's own server listens where its client asked it to (`ssh -R`), and whoever connects there is no
 * operator. One that another began is a session; so is one whose parent has ended since, which is told by a
 * connection to a port that is not its own: what takes logins has none but for the moment in which it hands one on.
 */
function isSession({ part, isBelow, sockets }: Server): boolean {
  const own = new Set(sockets.filter(isListening).map(({ localPort }) => localPort));
  const isOthers = ({ state, localPort }: TcpSocket): boolean =>
    state === "established" && !own.has(localPort);
  return part !== "whole" || isBelow || sockets.some(isOthers);
}

function serverListeners(servers: readonly Server[]): SshListener[] {
  return servers
    .filter((server) => !isSession(server))
    .flatMap(({ server, sockets }) =>
      sockets
        .filter((socket) => isListening(socket) && socket.uid === 0)
        .map(
          (socket): SshListener => ({
            ...listeningOf(socket),
            by: server === "dropbear" ? "dropbear" : "sshd",
          }),
        ),
    );
}

/** A socket that systemd keeps and sshd was given, too, is one. */
function unique(listeners: readonly SshListener[]): SshListener[] {
  return [...new Map(listeners.map((one) => [one.inode, one])).values()];
}

/** Sockets that the first process holds for SSH: systemd's ssh.socket. */
function unitListeners(table: readonly TcpSocket[]): SshListener[] {
  const held = new Set(socketsOf(1).map(({ inode }) => inode));
  const found = table.filter((socket) => isListening(socket) && socket.uid === 0 && held.has(socket.inode));
  if (found.length === 0) return [];
  const ports = new Set(socketUnitPorts() ?? configuredPorts());
  return found
    .filter(({ localPort }) => ports.has(localPort))
    .map((socket): SshListener => ({ ...listeningOf(socket), by: "systemd" }));
}

/**
 * The connection by which somebody came: root's accepted it, and it is to a port that the server's own process does
 * not listen on. Where several are (what it forwards), the one that was there first.
 */
function ownConnection({ sockets }: Server, ports: ReadonlySet<number>): SshConnection | undefined {
  const own = new Set(sockets.filter(isListening).map(({ localPort }) => localPort));
  return sockets.find(
    ({ state, uid, localPort }) =>
      state === "established" &&
      uid === 0 &&
      !own.has(localPort) &&
      // Where SSH has stopped to listen since, those who are on stay on.
      (ports.size === 0 || ports.has(localPort)),
  );
}

function sessionsOf(
  programs: SshPrograms,
  servers: readonly Server[],
  listeners: readonly SshListener[],
): SshSession[] {
  const ports = new Set(listeners.map(({ port }) => port));
  const came = servers.flatMap((server) => {
    const connection = isSession(server) ? ownConnection(server, ports) : undefined;
    return connection === undefined ? [] : [{ server, connection }];
  });
  if (came.length === 0) return [];
  const children = childrenByParent();
  return came.flatMap(({ server: { pid }, connection }) => {
    const uid = whoIsLoggedIn(programs, pid, children.get(pid) ?? []);
    if (uid === undefined) return [];
    const { peer, peerPort, local, localPort } = connection;
    return [{ peer, peerPort, local, localPort, pid, uid }];
  });
}

function childrenByParent(): ReadonlyMap<number, readonly number[]> {
  const found = new Map<number, number[]>();
  for (const pid of processIds()) {
    const parent = parentOf(pid);
    const before = found.get(parent);
    if (before === undefined) found.set(parent, [pid]);
    else before.push(pid);
  }
  return found;
}

/**
 * SECURITY: everybody may connect to SSH and say nothing, and is no operator by that. Somebody is logged in when the
 * server runs a child as them that sees the whole machine, or something that is no server at all, and none that is
 * shut away until it knows who comes. A login without any child (`ssh -N` of root) is told by the kernel's audit
 * session, which a login begins anew.
 */
function whoIsLoggedIn(
  { programOf, seesHost }: SshPrograms,
  pid: number,
  children: readonly number[],
): number | undefined {
  const seen = children.map((child) => ({ child, program: programOf(child), uid: uidsOf(child)[1] ?? 0 }));
  const isBefore = ({ child, program, uid }: (typeof seen)[number]): boolean =>
    program !== undefined && (program.part === "login" || (uid !== 0 && !seesHost(child)));
  if (seen.some(isBefore)) return undefined;
  const after = seen.find(({ program, uid }) => program === undefined || uid !== 0);
  if (after !== undefined) return after.uid;
  return beganAuditSession(pid) ? loginUidOf(pid) : undefined;
}

/** Returns who logged in, as the kernel's audit has it for a process and all it began; undefined for nobody. */
export function loginUidOf(pid: number): number | undefined {
  return auditNumber(pid, "loginuid");
}

function beganAuditSession(pid: number): boolean {
  const own = auditNumber(pid, "sessionid");
  return own !== undefined && own !== auditNumber(parentOf(pid), "sessionid");
}

/** (uid_t) -1 stands for none. */
const UNSET = "4294967295";

function auditNumber(pid: number, name: "loginuid" | "sessionid"): number | undefined {
  const text = readText(`/proc/${pid}/${name}`).trim();
  return text === "" || text === UNSET ? undefined : Number(text);
}

function isListening({ state }: TcpSocket): boolean {
  return state === "listening";
}

function listeningOf({ local, localPort, uid, inode }: TcpSocket): Listening {
  return { address: local, port: localPort, uid, inode };
}
