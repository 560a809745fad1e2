import process from "node:process";
import { createInterface } from "node:readline";
import { SeawallError } from "../core/base/error.ts";
import { start } from "../edge/host/command.ts";
import { moduleFile } from "./place.ts";
import type { PlayerAnswer, PlayerRequest } from "./player/request.ts";

export interface Player {
  /** Its process in the lab. */
  readonly pid: number;
  readonly ask: <Value>(request: PlayerRequest) => Promise<Value>;
  readonly stop: () => void;
}

export interface PlayerOptions {
  /** Its attempts come from this port and the ones after it. */
  readonly firstPort: number;
  /** Runs as this user; root when absent. */
  readonly uid?: number;
  /** Whether it lives in a network namespace of its own. */
  readonly apart?: boolean;
  /** The file of the program that it runs; Node's own when absent. */
  readonly program?: string;
}

const ANSWER_DEADLINE_MS = 20_000;

/** Starts a player and returns once it listens to requests. */
export async function startPlayer(options: PlayerOptions): Promise<Player> {
  const words = [
    options.program ?? process.execPath,
    moduleFile("./player/main"),
    String(options.firstPort),
    ...(options.uid === undefined ? [] : [String(options.uid)]),
  ];
  const [program = "", ...args] = options.apart === true ? ["unshare", "-n", "--", ...words] : words;
  const child = start(program, args, ["pipe", "pipe", "pipe"]);
  const { stdin, stdout, stderr, pid } = child;
  if (stdin === null || stdout === null || stderr === null || pid === undefined) throw gone("did not start");
  const waiting = new Map<number, (answer: PlayerAnswer) => void>();
  let wrong = "";
  stderr.setEncoding("utf8").on("data", (text: string) => {
    wrong = (wrong + text).slice(-4_000);
  });
  stdin.on("error", () => undefined);
  child.once("close", () => {
    for (const [id, settle] of waiting) settle({ id, error: `ended: ${wrong}` });
  });
  createInterface({ input: stdout }).on("line", (line) => {
    const answer = JSON.parse(line) as PlayerAnswer;
    waiting.get(answer.id)?.(answer);
  });
  let last = 0;
  const expect = <Value>(id: number): Promise<Value> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(gone(`no answer in time ${wrong}`)), ANSWER_DEADLINE_MS);
      waiting.set(id, (answer) => {
        clearTimeout(timer);
        waiting.delete(id);
        if (answer.error === undefined) resolve(answer.value as Value);
        else reject(gone(answer.error));
      });
    });
  await expect<string>(0);
  return {
    pid,
    ask: (request) => {
      last += 1;
      stdin.write(`${JSON.stringify({ id: last, request })}\n`);
      return expect(last);
    },
    stop: () => stdin.end(),
  };
}

function gone(why: string): SeawallError {
  return new SeawallError("SEAWALL_LAB", `a player of the lab failed: ${why.trim()}`, {
    still: "nothing of this machine was changed",
  });
}
