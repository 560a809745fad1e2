/** A process in some place as some user, that tries what it is asked. */
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { SeawallError } from "../core/base/error.ts";
import { endChild, start } from "../edge/host/command.ts";
import { closeInherited } from "../edge/host/descriptor.ts";
import type { ProofSocket } from "../core/event/proof.ts";
import { type Answer, type Ask, ATTEMPT_MS, parseSaid } from "./ask.ts";

export interface Identity {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

export interface Person {
  readonly identity: Identity;
  /** The sockets of its attempts, as they were answered. */
  readonly sockets: readonly ProofSocket[];
  /** Never rejects: an attempt without an answer has `failed`. */
  readonly ask: (ask: Ask) => Promise<Answer>;
  /** Ends it; resolves when it is gone. */
  readonly stop: () => Promise<void>;
}

/** Nobody's uid and group on every Linux. */
export const NOBODY: Identity = { uid: 65_534, gid: 65_534, groups: [] };
/** LIMIT: time for an answer. */
const ANSWER_MS = ATTEMPT_MS + 2_000;
/** LIMIT: time for the process to be there; many start at once. */
const START_MS = 10_000;

/** The number of the line that says that root is given up. */
const READY = 0;

const SCRIPT = fileURLToPath(
  new URL(`./attempt.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url),
);

/** Starts a process behind `enter`, a command that runs the words after it in a place. Needs root. */
export function startPerson(enter: readonly string[], identity: Identity): Person {
  const { uid, gid, groups } = identity;
  const words = [...enter, process.execPath, SCRIPT, String(uid), String(gid), groups.join(",")];
  const [program = "", ...args] = words;
  closeInherited();
  const child = start(program, args, ["pipe", "pipe", "pipe"]);
  const waiting = new Map<number, (answer: Answer) => void>();
  const asked = new Map<number, Begun>();
  const sockets: ProofSocket[] = [];
  let said = "";
  let last = READY;
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-500);
  });
  child.stdin?.on("error", () => undefined);
  if (child.stdout !== null)
    createInterface({ input: child.stdout }).on("line", (line) => {
      const answered = parseSaid(line);
      if (answered === undefined) return;
      sockets.push(...socketsOf(asked.get(answered.id), answered.ports));
      asked.delete(answered.id);
      waiting.get(answered.id)?.(answered.answer);
    });
  const gone = ended(child).then((status) => {
    // SECURITY: only what ends by itself has done what it was asked; the agent can kill it.
    if (status === 0)
      for (const settle of waiting.values()) settle({ ...failed("exit 0"), outcome: "absent" });
    for (const settle of waiting.values()) settle(failed(`it ended: ${said.trim().split("\n", 1)[0] ?? ""}`));
  });
  const expect = (id: number, limitMs: number): Promise<Answer> =>
    new Promise((resolve) => {
      const settle = (answer: Answer): void => {
        clearTimeout(timer);
        waiting.delete(id);
        resolve(answer);
      };
      const timer = setTimeout(() => settle(failed("no answer in time")), limitMs);
      waiting.set(id, settle);
      if (child.exitCode !== null || child.signalCode !== null) settle(failed("it ended"));
    });
  const ready = expect(READY, START_MS);
  return {
    identity,
    sockets,
    ask: async (ask) => {
      const started = await ready;
      if (started.outcome !== "reached") return started;
      last += 1;
      const answer = expect(last, ANSWER_MS);
      asked.set(last, { ask, fromMs: Date.now() });
      child.stdin?.write(`${JSON.stringify({ id: last, ask })}\n`);
      return answer;
    },
    stop: async () => {
      child.stdin?.end();
      endChild(child);
      await gone;
    },
  };
}

interface Begun {
  readonly ask: Ask;
  readonly fromMs: number;
}

/** The sockets that an attempt was made from; what names no port of another machine has none. */
function socketsOf(begun: Begun | undefined, ports: readonly number[]): ProofSocket[] {
  if (begun === undefined) return [];
  const { ask, fromMs } = begun;
  const toMs = Date.now();
  const isDns = ask.do === "dns";
  if (!isDns && !("port" in ask)) return [];
  const protocol = ask.do === "udp" || (isDns && ask.over === "udp") ? UDP : TCP;
  const [address, port] = isDns ? [ask.server, DNS_PORT] : [ask.address, ask.port];
  return ports.map((sourcePort) => ({ protocol, address, port, sourcePort, fromMs, toMs }));
}

const TCP = 6;
const UDP = 17;
const DNS_PORT = 53;

function ended(child: ReturnType<typeof start>): Promise<number | null> {
  return new Promise((resolve) => {
    child.once("close", resolve);
    child.once("error", () => resolve(null));
  });
}

function failed(code: string): Answer {
  return { outcome: "failed", code: code.slice(0, 200), ms: 0, text: "", dns: null };
}

/** Refuses when the process in the agent's place does not work at all: nothing would be proven. */
export async function requireWorking(person: Person, scope: string): Promise<void> {
  const answer = await person.ask({ do: "unix", paths: [] });
  if (answer.outcome === "absent") return;
  throw new SeawallError(
    "SEAWALL_SCOPE",
    `nothing can be tried in the place of \`${scope}\`: ${answer.code}`,
    {
      still: "the kernel keeps the rules it has",
      help: "seawall status",
    },
  );
}
