import { eventually } from "./eventually.ts";
import type { Host } from "./host.ts";
import { SEAWALL } from "./seawall.ts";

const UP_DEADLINE_MS = 30_000;

export type Daemon = {
  /** What it said so far. */
  readonly said: () => string;
  /** Whether it goes on. */
  readonly runs: () => boolean;
  /** Ends it by SIGKILL and waits for its end. */
  readonly kill: () => Promise<void>;
};

/** Starts `seawall daemon` on the host and waits until it reads the kernel's log; it ends with the host. */
export async function startDaemon(host: Host): Promise<Daemon> {
  const child = host.start([...SEAWALL, "daemon"]);
  child.stdin?.end();
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  const runs = () => child.exitCode === null && child.signalCode === null;
  const isUp = async () => !runs() || said.includes("reading the kernel's log");
  await eventually(isUp, true, UP_DEADLINE_MS);
  if (!runs() || !said.includes("reading the kernel's log")) throw new Error(`seawalld is not up: ${said}`);
  // It holds its lock, and that names it as the host numbers it.
  const pid = (await host.shell("cat /run/seawall/daemon.lock")).trim();
  return {
    said: () => said,
    runs,
    kill: async () => {
      await host.shell(`kill -KILL ${pid}`);
      await eventually(async () => runs(), false);
    },
  };
}
