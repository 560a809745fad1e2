/** Ways to become somebody else, or nobody. */
import { createSocket } from "node:dgram";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import process from "node:process";
import { findProgram, runSync } from "../../edge/host/command.ts";
import { type Answer, ATTEMPT_MS } from "../ask.ts";
import { connectTo } from "./connect.ts";
import { attemptClock } from "./outcome.ts";

/** Runs a program of the system; `code` is its exit status, `text` what it said. */
export function runProgram(program: string, args: readonly string[], input: string): Promise<Answer> {
  const made = attemptClock();
  if (findProgram(program) === undefined)
    return Promise.resolve(made("absent", `${program} is not installed`));
  const { status, stdout, stderr } = runSync(program, args, { input, deadlineMs: ATTEMPT_MS });
  return Promise.resolve(made(status === 0 ? "reached" : "refused", `exit ${status}`, `${stdout}${stderr}`));
}

/** Puts itself into every cgroup that takes it, then connects; `text` tells which cgroups those are. */
export async function leaveCgroup(
  cgroups: readonly string[],
  address: string,
  port: number,
): Promise<Answer> {
  const entered = cgroups.filter((cgroup) => {
    try {
      writeFileSync(`${cgroup}/cgroup.procs`, String(process.pid));
      return true;
    } catch {
      return false;
    }
  });
  const answer = await connectTo(address, port);
  return { ...answer, text: entered.join(", ") };
}

/** The kernel finishes what is begun when this process is gone. */
export function vanish(address: string, port: number): Promise<Answer> {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  socket.on("error", () => process.exit(0));
  socket.connect(port, address, (error?: Error) => {
    if (error !== undefined) process.exit(0);
    for (const _ of [1, 2, 3]) connect({ host: address, port }).on("error", () => undefined);
    socket.send(Buffer.alloc(1), () => process.exit(0));
  });
  return new Promise(() => undefined);
}
