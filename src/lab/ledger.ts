/** Collects claims: makes the attempts, waits for their log lines, and says whether both are as expected. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Player } from "./player.ts";
import type { Attempt, AttemptRequest, Outcome } from "./player/request.ts";
import type { Message, Row } from "./row.ts";
import { flows, type LoggedFlow } from "./seawall.ts";

export interface Probe {
  readonly by: Player;
  readonly to: string;
  readonly port: number;
  /** A source address; the player's own when absent. */
  readonly from?: string;
  readonly protocol?: "tcp" | "udp" | "ping";
  /** A ping as this user. */
  readonly uid?: number;
  /** Keeps the connection under this name. */
  readonly keep?: string;
  /** Made by a process that the player starts. */
  readonly child?: boolean;
}

export interface Claim {
  readonly claim: string;
  readonly direction: Row["direction"];
  readonly probes: readonly Probe[];
  /** How each attempt ends. */
  readonly wire: Outcome;
  /** Who answers. */
  readonly said?: string;
  /** What the log says of each, `verdict rule`; null when nothing may be logged; absent when nobody reads. */
  readonly log?: string | null;
  /** Said instead of a log line when nobody reads. */
  readonly unread?: string;
}

export interface Ledger {
  readonly chapter: (title: string) => void;
  readonly note: (text: string) => void;
  /** Makes the attempts of a claim; its row appears with `settle`. */
  readonly attempt: (claim: Claim) => Promise<readonly Attempt[]>;
  /** A row that is known already. */
  readonly row: (row: Row) => void;
  /** Waits for the log lines of the claims so far and writes their rows. */
  readonly settle: () => Promise<void>;
}

/** How long the log may take: the kernel holds lines for 100 ms, the daemon writes every 250 ms. */
const LOG_DEADLINE_MS = 3_000;
const LOG_STEP_MS = 150;
const PING_DEADLINE_MS = 1_000;
const ATTEMPT_DEADLINE_MS = 1_500;

interface Entry {
  readonly claim: Claim;
  readonly attempts: readonly Attempt[];
  /** Attempts that must fail and were taken by a service all the same. */
  readonly arrived: number;
}

/** Returns an empty ledger that tells its rows in order. `services`: who would have taken a refused connection. */
export function openLedger(tell: (message: Message) => void, services: readonly Player[]): Ledger {
  const open: (Entry | Row)[] = [];
  return {
    chapter: (title) => tell({ kind: "chapter", title }),
    note: (text) => tell({ kind: "note", text }),
    attempt: async (claim) => {
      const attempts = await Promise.all(claim.probes.map(make));
      open.push({ claim, attempts, arrived: await arrivedOf(claim, attempts, services) });
      return attempts;
    },
    row: (row) => void open.push(row),
    settle: async () => {
      const entries = open.splice(0);
      const logged = await logOf(entries.filter(isEntry));
      for (const entry of entries) tell({ kind: "row", row: isEntry(entry) ? rowOf(entry, logged) : entry });
    },
  };
}

function isEntry(entry: Entry | Row): entry is Entry {
  return "attempts" in entry;
}

function make(probe: Probe): Promise<Attempt> {
  const { to, port, from, keep } = probe;
  const source = from === undefined ? {} : { from };
  const deadlineMs = ATTEMPT_DEADLINE_MS;
  const attempt: AttemptRequest =
    probe.protocol === "ping"
      ? {
          do: "ping",
          to,
          deadlineMs: PING_DEADLINE_MS,
          ...(probe.uid === undefined ? {} : { uid: probe.uid }),
        }
      : probe.protocol === "udp"
        ? { do: "udp", to, port, deadlineMs, ...source }
        : { do: "tcp", to, port, deadlineMs, ...source, ...(keep === undefined ? {} : { keep }) };
  return probe.by.ask(probe.child === true ? { do: "child", attempt } : attempt);
}

async function arrivedOf(
  { wire }: Claim,
  attempts: readonly Attempt[],
  services: readonly Player[],
): Promise<number> {
  if (wire === "connected" || wire === "answered") return 0;
  const peerPorts = attempts.flatMap(({ localPort }) => localPort ?? []);
  const taken = await Promise.all(services.map((service) => service.ask<number>({ do: "heard", peerPorts })));
  return taken.reduce((sum, count) => sum + count, 0);
}

/** Returns the log once it has a line for every attempt that must have one, or at the deadline. */
async function logOf(entries: readonly Entry[]): Promise<readonly LoggedFlow[]> {
  const wanted = entries.filter(({ claim }) => typeof claim.log === "string");
  if (!entries.some(({ claim }) => claim.log !== undefined)) return [];
  for (let waited = 0; ; waited += LOG_STEP_MS) {
    // Also what must not be logged gets the time to be.
    await sleep(waited === 0 ? 2 * LOG_STEP_MS : LOG_STEP_MS);
    const logged = flows();
    const complete = wanted.every((entry) => linesOf(entry, logged).every((line) => line !== null));
    if (complete || waited >= LOG_DEADLINE_MS) return logged;
  }
}

/** The log's words about each attempt; null where it has none. */
function linesOf({ claim, attempts }: Entry, logged: readonly LoggedFlow[]): (string | null)[] {
  return claim.probes.map((probe, index) => {
    const attempt = attempts[index];
    const flow = logged.find((one) => attempt !== undefined && isAbout(one, probe, attempt));
    return flow === undefined ? null : wordsOf(flow);
  });
}

function isAbout(flow: LoggedFlow, probe: Probe, attempt: Attempt): boolean {
  if (flow.destination !== probe.to) return false;
  if (probe.protocol === "ping") return flow.protocol.startsWith("icmp");
  return (
    flow.sourcePort === attempt.localPort &&
    flow.destinationPort === probe.port &&
    flow.protocol === (probe.protocol ?? "tcp") &&
    (probe.from === undefined || flow.source === probe.from)
  );
}

function wordsOf({ verdict, observed, rule, reason }: LoggedFlow): string {
  const would = observed && verdict !== "accept" ? "would " : "";
  return `${would}${verdict} ${rule ?? reason}`;
}

function rowOf(entry: Entry, logged: readonly LoggedFlow[]): Row {
  const { claim, attempts, arrived } = entry;
  const wireHeld = attempts.every(
    ({ outcome, said }) => outcome === claim.wire && (claim.said === undefined || said === claim.said),
  );
  const outcomes = tally(attempts.map(({ outcome, said }) => wireWords(outcome, said ?? undefined)));
  const lines = claim.log === undefined ? [] : linesOf(entry, logged);
  return {
    claim: claim.claim,
    direction: claim.direction,
    expected: [wireWords(claim.wire, claim.said), claim.log ?? "-"].join("; "),
    seen: `${outcomes}${arrived === 0 ? "" : `, ${arrived} arrived`}`,
    log: claim.log === undefined ? (claim.unread ?? "-") : tally(lines.map((line) => line ?? "-")),
    held:
      wireHeld && arrived === 0 && attempts.length > 0 && lines.every((line) => line === (claim.log ?? null)),
  };
}

function wireWords(outcome: Outcome, said: string | undefined): string {
  if (said === undefined) return outcome;
  return `${outcome} ${outcome === "connected" ? "to" : "by"} ${said}`;
}

/** Equal words once, with how many. */
export function tally(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  if (counts.size === 1 && counts.has("-")) return "-";
  return [...counts].map(([word, count]) => (count === 1 ? word : `${word} x${count}`)).join(", ");
}
