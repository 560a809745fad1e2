/** Keeps the candidate, when it was shown that the operator can still come in; or goes back. */
import { SeawallError } from "../core/base/error.ts";
import { formatIp, type Ip, isLoopback } from "../core/net/ip.ts";
import { type Reached, reachOf } from "../edge/host/reach.ts";
import type { SshConnection } from "../edge/host/ssh-session.ts";
import { type LiveState, readLive } from "../edge/kernel/live.ts";
import type { Folders } from "../edge/state/folder.ts";
import type { HistoryEntry } from "../edge/state/history-entry.ts";
import { writeHistory } from "../edge/state/history.ts";
import { together } from "./attempt.ts";
import { carryOver } from "./carry-over.ts";
import { confirmLineHere } from "./confirm-line.ts";
import { type Cut, type EndedConnections, NONE_ENDED } from "./cut.ts";
import { knowOpenConnections } from "./open-connection.ts";
import { type IsScope, operatorSessions, scopeUidsOf } from "./operator.ts";
import { parseSeal } from "./seal.ts";
import { entryOf } from "./sealed-entry.ts";
import { settleAt, settleOver, takeDown } from "./settle.ts";
import { markUndone } from "./undone.ts";
import { generationOf } from "./stamp.ts";

export interface Confirmed extends EndedConnections {
  readonly generation: number;
  readonly entry: HistoryEntry | undefined;
  /** How it was shown: the new connection, or only a console. */
  readonly shownBy: string;
  /** What could not be written down of it, or not be ended; null for nothing. */
  readonly trouble: string | null;
}

/** Who asks for a confirm. */
export interface Confirming {
  readonly pid: number;
  /** Whether they say that they are at the machine's own console. */
  readonly console: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Makes the candidate the policy in force. Refuses when nothing waits, when its time is over, and when the
 * caller's own connection does not prove that a new one gets in.
 */
export function confirm(folders: Folders, caller: Confirming, nowMs: number): Confirmed {
  const live = waiting(folders);
  const generation = live.candidate;
  if (generation === null) throw nothingWaits();
  refusePause(live, generation);
  const isScope = scopeUidsOf(folders.state, live);
  const asking = {
    reached: reachOf(caller.pid, isScope),
    isScope,
    anew: confirmLineHere(caller.env, isScope),
  };
  const shownBy = caller.console ? showConsole(asking) : showConnection(asking, generation);
  const entry = entryOf(folders.state, live, generation);
  // Until now they were nobody's; what has come in since the apply may have been taken for its beginning.
  const unprepared =
    live.committed === null
      ? knowOpenConnections()
      : carryOver(folders.state, live, { from: live.committed, to: generation }, nowMs);
  const cut = settleAt(folders, live, generation, nowMs);
  const unwritten = markConfirmed(folders.state, entry, nowMs);
  const { trouble: uncut, ...ended } = cut;
  const trouble = together([unprepared, uncut, unwritten]);
  return { generation, entry, shownBy, ...ended, trouble };
}

/** The kernel holds the change already, so a full disk is said and is no failure. */
function markConfirmed(state: string, entry: HistoryEntry | undefined, nowMs: number): string | null {
  if (entry === undefined) return "the history has no entry of this change";
  try {
    writeHistory(state, { ...entry, confirmedMs: nowMs }, null);
    return null;
  } catch (cause) {
    if (!(cause instanceof SeawallError)) throw cause;
    return `${cause.message}; the history does not say that it was confirmed`;
  }
}

/** Ends the lease now. `generation`: the one in force after it, or null when that is none. */
export function withdraw(
  folders: Folders,
  nowMs: number = Date.now(),
): Cut & { readonly generation: number | null } {
  const live = waiting(folders);
  const { committed: generation, candidate } = live;
  if (candidate !== null)
    markUndone(folders.state, entryOf(folders.state, live, candidate), "withdrawn", nowMs);
  if (generation === null) return { generation, ...NONE_ENDED, trouble: takeDown(folders) };
  const unprepared =
    candidate === null ? null : carryOver(folders.state, live, { from: candidate, to: generation }, nowMs);
  const { trouble, ...ended } = settleAt(folders, live, generation, nowMs);
  return { generation, ...ended, trouble: together([unprepared, trouble]) };
}

/** Whether a change waits for its confirm and its time is not over. */
export function isWaiting(live: LiveState | null): boolean {
  return live !== null && live.candidate !== null && live.leaseMs !== null;
}

function waiting(folders: Folders): LiveState {
  const live = readLive();
  if (live === null || live.candidate === null) throw nothingWaits();
  if (live.leaseMs === null) {
    settleOver(folders, live);
    throw new SeawallError("SEAWALL_ROLLED_BACK", "the time to confirm is over", {
      still: live.committed === null ? "Seawall is off, as before" : "the policy before it is in force again",
      help: "seawall apply FILE",
    });
  }
  return live;
}

/** A pause is there to end. */
function refusePause(live: LiveState, generation: number): void {
  if (parseSeal(live.seals.get(generation) ?? "")?.kind !== "pause") return;
  throw new SeawallError("SEAWALL_NOTHING_PENDING", "enforcement is paused, and a pause is never confirmed", {
    still: "it ends by itself",
    help: "seawall pause --off",
  });
}

function nothingWaits(): SeawallError {
  return new SeawallError("SEAWALL_NOTHING_PENDING", "no change waits for a confirm", {
    help: "seawall status",
  });
}

interface Asking {
  readonly reached: Reached;
  readonly isScope: IsScope;
  /** The line that confirms. */
  readonly anew: string;
}

/**
 * SECURITY: the connection counts only when the kernel stamped it with the candidate's generation, that is,
 * when it began after the apply and the candidate let it in. An older one, a tunnel inside it and a shared
 * ControlMaster connection carry another stamp or none.
 */
function showConnection({ reached: { connections, kind }, anew }: Asking, generation: number): string {
  if (connections.length === 0) {
    const isAway = kind === "ssh" || kind === "mosh";
    throw notConfirmed(
      `${CALLED_OVER[kind]}, so it proves nothing about SSH`,
      isAway ? anew : `log in anew: ${anew}; or here: seawall confirm --console`,
    );
  }
  const fresh = connections.find((one) => !isLoopback(one.peer) && generationOf(one) === generation);
  if (fresh !== undefined) return `a new SSH connection from ${formatIp(fresh.peer)}`;
  throw notConfirmed(
    `this connection${fromText(connections)} is older than the change, so it proves nothing`,
    anew,
  );
}

const CALLED_OVER: Readonly<Record<Reached["kind"], string>> = {
  ssh: "this was called from a login whose SSH connection is gone",
  mosh: "this was not called over SSH but over mosh",
  tailnet: "this was called over Tailscale SSH, which the rules do not see",
  console: "this was not called over an SSH connection",
  detached: "this was not called over an SSH connection",
  unknown: "too much stands above this process to tell how it was called",
};

function notConfirmed(message: string, help: string): SeawallError {
  return new SeawallError("SEAWALL_NOT_CONFIRMED", message, { still: "the change still waits", help });
}

function fromText(connections: readonly SshConnection[]): string {
  const peers = new Set(connections.map(({ peer }): Ip => peer).map(formatIp));
  return ` from ${[...peers].join(", ")}`;
}

/** A console proves nothing about SSH; it is taken where nobody is logged in who could prove it. */
function showConsole({ reached: { kind }, isScope, anew }: Asking): string {
  switch (kind) {
    case "ssh":
    case "mosh":
      throw notConfirmed(
        `--console is for a local console, and this came over ${kind === "ssh" ? "SSH" : "mosh"}`,
        anew,
      );
    case "unknown":
      throw notConfirmed(`--console is for a local console, and ${CALLED_OVER.unknown}`, anew);
    case "console":
      return "the console, which proves nothing about SSH";
    case "tailnet":
    case "detached":
      if (operatorSessions(isScope).length === 0) {
        return kind === "detached"
          ? "the console, which proves nothing about SSH"
          : "a Tailscale session, which proves nothing about SSH";
      }
      throw notConfirmed(
        "--console is for a local console, and this has no terminal while somebody is logged in over SSH",
        anew,
      );
  }
}
