/** Long-lived programs of a benchmark: the proxies, the resolvers and what they ask. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface Running {
  readonly name: string;
  readonly child: ChildProcess;
  readonly stop: () => void;
}

export interface ProgramWanted {
  /** Of the file that what it prints goes to. */
  readonly name: string;
  readonly argv: readonly string[];
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly isReady: () => boolean | Promise<boolean>;
  /** Given for a Node program that has a channel for messages. */
  readonly onMessage?: (message: unknown) => void;
}

const READY_LIMIT_MS = 10_000;
const POLL_MS = 20;
const CONNECT_LIMIT_MS = 500;
const SAID_CHARS_MAX = 300;

/** Starts a program and waits until it is ready. Throws with the end of what it printed when it is not, or ends. */
export async function startProgram(wanted: ProgramWanted): Promise<Running> {
  const { name, argv, folder, isReady, onMessage } = wanted;
  const [file = "", ...args] = argv;
  const path = join(folder, `${name}.log`);
  // A file, since a pipe that nobody empties while a round runs would stop the program.
  const log = openSync(path, "w");
  const child = spawn(file, args, {
    stdio: ["ignore", log, log, ...(onMessage === undefined ? [] : (["ipc"] as const))],
    env: { ...process.env, ...wanted.env },
    cwd: "/",
  });
  closeSync(log);
  if (onMessage !== undefined) child.on("message", onMessage);
  let failed: Error | null = null;
  child.once("error", (error) => {
    failed = error;
  });
  const limitMs = performance.now() + READY_LIMIT_MS;
  while (!(await isReady())) {
    const ended = failed !== null || child.exitCode !== null || child.signalCode !== null;
    if (ended || performance.now() > limitMs) {
      child.kill("SIGKILL");
      throw new Error(`${name} did not start: ${failed ?? complaint(path)}`);
    }
    await sleep(POLL_MS);
  }
  return { name, child, stop: () => void child.kill("SIGKILL") };
}

/** Returns whether somebody listens on a TCP port of this namespace. */
export function isListening(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (open: boolean): void => {
      socket.destroy();
      resolve(open);
    };
    socket.setTimeout(CONNECT_LIMIT_MS, () => end(false));
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
  });
}

/** The line that says what went wrong, or the last one. */
function complaint(path: string): string {
  const lines = readFileSync(path, "utf8").trim().split("\n");
  const said = lines.findLast((line) => /error|fatal|cannot|refused/i.test(line)) ?? lines.at(-1) ?? "";
  return said === "" ? "it said nothing" : said.slice(0, SAID_CHARS_MAX);
}
