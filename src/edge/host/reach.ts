/** How a process is reached: over which SSH connections, by mosh or the tailnet, or from the machine's own console. */
import { statSync } from "node:fs";
import { type Ip, parseIp } from "../../core/net/ip.ts";
import { ancestorsOf, identityOf, parentOf, processIds, readText, statOf, uidsOf } from "./proc.ts";
import { descriptorsOf } from "./socket.ts";
import { connectionsOf, type SshConnection } from "./ssh-session.ts";
import { sshPrograms } from "./ssh-program.ts";

export interface Reached {
  /** Those of the host's SSH above it and, inside tmux or screen, above every attached client. */
  readonly connections: readonly SshConnection[];
  /** `unknown`: too much stands above it to tell. */
  readonly kind: "ssh" | "mosh" | "tailnet" | "console" | "detached" | "unknown";
  /**
   * The SSH connections that began a mosh session, by the word of its own environment. Its owner is who asks, so it
   * counts where it makes us more careful, and never as a proof.
   */
  readonly began: readonly SshConnection[];
  /** Who came, where the server that they came by runs as them. */
  readonly uid: number | null;
}

/** LIMIT: processes that are looked at to find out how one is reached. */
const LOOKED_AT_MAX = 4_096;
const MOSH = "/usr/bin/mosh-server";
const SUDO = "/usr/bin/sudo";

/**
 * Returns how process `pid` is reached. `isScope`: the uids of agents; what runs as one stands for nobody.
 *
 * SECURITY: tmux and screen hold the terminals of their clients open. Whoever has such a terminal as its own and runs
 * as the same user as the process that holds it is a client; the names of both prove nothing.
 */
export function reachOf(pid: number, isScope: (uid: number) => boolean): Reached {
  const unknown = { connections: [], began: [], uid: null, kind: "unknown" } as const;
  const above = ancestorsOf(pid);
  const lines = above === null ? null : withClients(above, isScope);
  if (above === null || lines === null) return unknown;
  const programs = sshPrograms();
  const found = lines.flatMap((one) => {
    const program = programs.serverOf(one);
    return program === undefined ? [] : [{ pid: one, server: program.server }];
  });
  const servers = found.filter(({ server }) => server !== "tailscaled");
  // What a server runs for a login, runs as who logged in; sudo and the like come below it.
  const own = new Set(servers.map((one) => one.pid));
  const first = lines.find((one) => !own.has(one) && own.has(parentOf(one)));
  const uid = first === undefined ? null : (uidsOf(first)[1] ?? null);
  const mosh = identityOf(MOSH);
  const moshes = lines.filter((one) => mosh !== undefined && identityOf(`/proc/${one}/exe`) === mosh);
  const base = {
    connections: servers.length === 0 ? [] : connectionsOf(new Set(servers.map((one) => one.pid))),
    began: moshes.flatMap(beganBy),
    uid,
  };
  if (servers.length > 0) return { ...base, kind: "ssh" };
  if (moshes.length > 0) return { ...base, kind: "mosh", uid: uidsOf(moshes[0] ?? 0)[1] ?? null };
  if (found.length > 0) return { ...base, kind: "tailnet" };
  return { ...base, kind: hasConsole(above) ? "console" : "detached" };
}

/** A process and its parents, and the same for every client of what of these holds terminals; null: too many. */
function withClients(above: readonly number[], isScope: (uid: number) => boolean): number[] | null {
  const seen = new Set<number>();
  const wanted = [...above];
  let byTerminal: ReadonlyMap<number, readonly number[]> | undefined;
  for (let at = wanted.shift(); at !== undefined; at = wanted.shift()) {
    if (seen.has(at)) continue;
    if (seen.size >= LOOKED_AT_MAX) return null;
    seen.add(at);
    const own = uidsOf(at)[1];
    if (own === undefined || isScope(own)) continue;
    for (const terminal of terminalsOf(at)) {
      byTerminal ??= processesByTerminal();
      for (const client of byTerminal.get(terminal) ?? []) {
        if (seen.has(client) || uidsOf(client)[1] !== own) continue;
        const line = ancestorsOf(client);
        if (line === null) return null;
        wanted.push(...line);
      }
    }
  }
  return [...seen];
}

/** devices.txt of the kernel: UNIX98_PTY_SLAVE. */
const PTS_MAJORS = { first: 136, last: 143 };

/** The pseudo terminals that a process holds open. */
function terminalsOf(pid: number): ReadonlySet<number> {
  return new Set(
    descriptorsOf(pid).flatMap((fd) => {
      try {
        const found = statSync(`/proc/${pid}/fd/${fd}`);
        const major = majorOf(found.rdev);
        const isTerminal = found.isCharacterDevice() && major >= PTS_MAJORS.first && major <= PTS_MAJORS.last;
        return isTerminal ? [found.rdev] : [];
      } catch {
        return [];
      }
    }),
  );
}

function processesByTerminal(): ReadonlyMap<number, readonly number[]> {
  const found = new Map<number, number[]>();
  for (const pid of processIds()) {
    const terminal = statOf(pid)?.terminal ?? 0;
    if (terminal === 0) continue;
    const before = found.get(terminal);
    if (before === undefined) found.set(terminal, [pid]);
    else before.push(pid);
  }
  return found;
}

function majorOf(device: number): number {
  return (device >>> 8) & 0xfff;
}

/** devices.txt of the kernel: tty and ttyS, console, ttyAMA and other serial lines, hvc. */
const CONSOLE_MAJORS = new Set([4, 5, 204, 229]);

/**
 * Whether the controlling terminal is one of the machine itself, not one of a session's. sudo gives what it runs a
 * terminal of its own (`use_pty`), so behind it is looked where sudo itself is.
 */
function hasConsole(above: readonly number[]): boolean {
  const sudo = identityOf(SUDO);
  const [own] = above;
  if (own === undefined) return false;
  if (CONSOLE_MAJORS.has(majorOf(statOf(own)?.terminal ?? 0))) return true;
  const at = above.findLastIndex((pid) => sudo !== undefined && identityOf(`/proc/${pid}/exe`) === sudo);
  const terminal = at < 0 ? 0 : (statOf(above[at] ?? 0)?.terminal ?? 0);
  return CONSOLE_MAJORS.has(majorOf(terminal));
}

/** mosh-server keeps the environment of the SSH session that began it: `SSH_CONNECTION=peer port local port`. */
function beganBy(pid: number): SshConnection[] {
  const line = readText(`/proc/${pid}/environ`)
    .split("\0")
    .find((entry) => entry.startsWith("SSH_CONNECTION="));
  const [peer, peerPort, local, localPort] = line?.slice("SSH_CONNECTION=".length).split(" ") ?? [];
  const [from, to]: (Ip | undefined)[] = [parseIp(peer ?? ""), parseIp(local ?? "")];
  if (from === undefined || to === undefined) return [];
  return [{ peer: from, peerPort: Number(peerPort), local: to, localPort: Number(localPort) }];
}
