/** Starts the world and listens to it. Nothing of it outlives this process, however that ends. */
import process from "node:process";
import { createInterface } from "node:readline";
import { SeawallError } from "../core/base/error.ts";
import { findProgram, start } from "../edge/host/command.ts";
import { installOpenClaw } from "./openclaw/install.ts";
import { moduleFile } from "./place.ts";
import type { PlayOrder } from "./play.ts";
import { type LabPolicies, POLICIES } from "./policy.ts";
import type { Message, Row } from "./row.ts";
import { peopleOf, type WorldProcesses } from "./world-process.ts";

export interface LabOptions {
  /** Left up after the last chapter until `signal`. */
  readonly keep: boolean;
  readonly signal: AbortSignal;
  readonly onMessage: (message: Message) => void;
  /** Called with the processes to enter once every row is told, when the world is kept. */
  readonly onKept?: (processes: WorldProcesses) => void;
  /** What the lab's host applies. A policy that is not as good must break rows. */
  readonly policies?: LabPolicies;
  /** Uses the real OpenClaw as the agent, installed first when it is not there; called with what to tell about that. */
  readonly openclaw?: (line: string) => void;
}

export interface LabResult {
  readonly rows: readonly Row[];
  /** False when the signal came before the last row. */
  readonly complete: boolean;
}

type World = ReturnType<typeof start>;

/** LIMIT: a world that has not told its last row by then is ended. */
const DEADLINE_MS = 120_000;
/** LIMIT: the same with OpenClaw, which takes 8 to 35 s each time it starts. */
const OPENCLAW_DEADLINE_MS = 600_000;
const STDERR_CHARS_MAX = 4_000;
const NAMESPACES = ["-n", "-m", "-p", "-f", "--mount-proc", "--kill-child", "--propagation", "private", "--"];
const NEEDED = {
  nft: "nftables",
  ip: "iproute2",
  unshare: "util-linux",
  nsenter: "util-linux",
  mount: "mount",
} as const;

const OPENCLAW_NEEDED = { flock: "util-linux", setpriv: "util-linux", env: "coreutils" } as const;

/**
 * Plays the lab and returns its rows. Refuses without root, without nft and ip, where no namespace can be made, and
 * where OpenClaw is wanted and cannot be installed.
 */
export async function runLab(options: LabOptions): Promise<LabResult> {
  refuseUnready(options.openclaw === undefined ? NEEDED : { ...NEEDED, ...OPENCLAW_NEEDED });
  const installed = await installedFor(options);
  if (installed === "stopped") return { rows: [], complete: false };
  const world = startWorld();
  const rows: Row[] = [];
  const deadlineMs = options.openclaw === undefined ? DEADLINE_MS : OPENCLAW_DEADLINE_MS;
  let ended = false;
  let failure: string | null = null;
  const stop = (): void => void world.kill("SIGKILL");
  const deadline = setTimeout(() => {
    failure = "it did not end in time";
    stop();
  }, deadlineMs);
  options.signal.addEventListener("abort", stop, { once: true });
  const hear = (message: Message): void => {
    if (message.kind === "row") rows.push(message.row);
    if (message.kind === "failed") failure = message.message;
    options.onMessage(message);
    if (message.kind !== "end") return;
    ended = true;
    clearTimeout(deadline);
    if (options.keep) options.onKept?.(peopleOf(world.pid ?? 0, message.players));
  };
  const order: PlayOrder = {
    policies: options.policies ?? POLICIES,
    keep: options.keep,
    ...installed,
  };
  const stderr = await converse(world, order, hear);
  clearTimeout(deadline);
  options.signal.removeEventListener("abort", stop);
  if (!ended && !options.signal.aborted) throw failed(failure ?? stderr);
  return { rows, complete: ended };
}

/** What the order says of OpenClaw; `stopped` when the signal came first. */
async function installedFor({
  openclaw,
  signal,
}: LabOptions): Promise<"stopped" | Pick<PlayOrder, "openclaw">> {
  if (openclaw === undefined) return {};
  try {
    return { openclaw: await installOpenClaw({ say: openclaw, signal }) };
  } catch (cause) {
    if (signal.aborted) return "stopped";
    throw cause;
  }
}

function refuseUnready(needed: Readonly<Record<string, string>>): void {
  if (process.geteuid?.() !== 0) {
    throw new SeawallError(
      "SEAWALL_NOT_ROOT",
      "the lab makes network namespaces of its own, and that needs root",
      {
        still: "nothing was changed; with root the lab does not touch this machine's network either",
        help: "sudo npm start (or: sudo seawall lab)",
      },
    );
  }
  const missing = Object.entries(needed).filter(([program]) => findProgram(program) === undefined);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(([, name]) => name))].join(" ");
  throw new SeawallError(
    "SEAWALL_LAB",
    `the lab needs ${missing.map(([program]) => `\`${program}\``).join(" and ")}`,
    {
      still: "nothing was changed",
      help: `apt-get install ${packages}`,
    },
  );
}

/** The kernel kills the world when this process ends, also by SIGKILL; without setpriv it ends with our pipe. */
function startWorld(): World {
  const words = [...NAMESPACES, process.execPath, moduleFile("./inside")];
  return start("unshare", words, ["pipe", "pipe", "pipe"]);
}

/** Gives the order and hears until the world is gone. Returns what it said on stderr. */
function converse(world: World, order: PlayOrder, hear: (message: Message) => void): Promise<string> {
  const { stdin, stdout, stderr } = world;
  let wrong = "";
  stderr?.setEncoding("utf8").on("data", (text: string) => {
    wrong = (wrong + text).slice(-STDERR_CHARS_MAX);
  });
  if (stdout !== null)
    createInterface({ input: stdout }).on("line", (line) => hear(JSON.parse(line) as Message));
  stdin?.on("error", () => undefined);
  stdin?.write(`${JSON.stringify(order)}\n`);
  return new Promise((resolve, reject) => {
    world.once("error", reject);
    world.once("close", () => resolve(wrong.trim()));
  });
}

function failed(why: string): SeawallError {
  const forbidden = /unshare.*(not permitted|denied)/i.test(why);
  return new SeawallError(
    "SEAWALL_LAB",
    forbidden ? "this machine does not let root make namespaces" : `the lab stopped: ${why}`,
    {
      still: "nothing of this machine was changed, and nothing is left of the lab",
      ...(forbidden ? { help: "run it on the machine itself, or in a container with --privileged" } : {}),
    },
  );
}
