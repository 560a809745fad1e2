/** The process of the gates: started when it is needed, and again when it ends. */
import { fileURLToPath } from "node:url";
import { startLasting } from "../../edge/host/command.ts";
import { closeInherited } from "../../edge/host/descriptor.ts";
import type { Say } from "../say.ts";
import { repeatLines } from "./voice.ts";

type ChildProcess = ReturnType<typeof startLasting>;

export interface GateProcess {
  /** Starts one unless one runs, or one ended a moment ago. */
  readonly ensure: () => void;
  readonly stop: () => void;
  /** Kills it by its handle: a child keeps its number until we know of its end. */
  readonly kill: () => void;
  readonly pid: () => number | null;
  /** When the last one was started. */
  readonly startedMs: () => number;
}

/** LIMIT: pauses between two starts of a gate that ends at once; each is twice the one before. */
const PAUSE_MIN_MS = 50;
const PAUSE_MAX_MS = 5_000;
/** LIMIT: how long one that is to stop may take; then it is killed. */
const STOP_MS_MAX = 5_000;
/** One that ran for so long did not fail at its start. */
const HEALTHY_MS = 10_000;

/** Returns the process of the gates, not started yet. It outlives us for a while: the gates go on without a daemon. */
export function createGateProcess(linkPath: string, steadyMs: () => number, say: Say): GateProcess {
  let child: ChildProcess | null = null;
  let startedMs = 0;
  let pauseMs = PAUSE_MIN_MS;
  let nextMs = 0;
  const ended = (one: ChildProcess): void => {
    if (child !== one) return;
    child = null;
    pauseMs = steadyMs() - startedMs > HEALTHY_MS ? PAUSE_MIN_MS : Math.min(pauseMs * 2, PAUSE_MAX_MS);
    nextMs = steadyMs() + pauseMs;
  };
  return {
    ensure: () => {
      if (child !== null || steadyMs() < nextMs) return;
      startedMs = steadyMs();
      closeInherited();
      const words = [mainFile(), "gate", "--link", linkPath];
      const made = startLasting(process.execPath, words, ["ignore", "ignore", "pipe"]);
      if (made.stderr !== null) repeatLines(made.stderr, say);
      // It may outlive us: neither it nor what it says is waited for.
      made.unref();
      child = made;
      made.once("exit", () => ended(made));
      made.once("error", () => ended(made));
    },
    stop: () => {
      const ending = child;
      child = null;
      if (ending === null) return;
      ending.kill("SIGTERM");
      const timer = setTimeout(() => ending.kill("SIGKILL"), STOP_MS_MAX);
      timer.unref();
      ending.once("exit", () => clearTimeout(timer));
    },
    kill: () => void child?.kill("SIGKILL"),
    pid: () => child?.pid ?? null,
    startedMs: () => startedMs,
  };
}

/** The command line beside us, as source or built. */
function mainFile(): string {
  const ending = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return fileURLToPath(new URL(`../../cli/main.${ending}`, import.meta.url));
}
