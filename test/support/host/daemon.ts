import type { ChildProcess } from "node:child_process";
import { eventually } from "./eventually.ts";
import type { Host } from "./host.ts";
import { SEAWALL } from "./seawall.ts";

const UP_DEADLINE_MS = 30_000;
const UP = "seawalld: reading the kernel's log\n";

export type Daemon = {
  readonly child: ChildProcess;
  /** What it said so far, on both streams. */
  readonly said: () => string;
  /** Whether it goes on. */
  readonly runs: () => boolean;
  /** Ends it by SIGKILL and waits for its end. */
  readonly kill: () => Promise<void>;
};

/** Starts `seawall daemon` on the host and waits until it reads the kernel's log; it ends with the host. */
export async function startDaemon(host: Host, hear: (text: string) => void = () => {}): Promise<Daemon> {
  const child = host.start([...SEAWALL, "daemon"]);
  child.stdin?.end();
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      hear(text);
    });
  }
  const runs = () => child.exitCode === null && child.signalCode === null;
  await eventually(async () => !runs() || said.includes(UP), true, UP_DEADLINE_MS);
  if (!runs() || !said.includes(UP)) {
    child.kill("SIGKILL");
    throw new Error(`seawalld is not up (exit ${child.exitCode}): ${said}`);
  }
  // It holds its lock, and that names it as the host numbers it.
  const pid = (await host.shell("cat /run/seawall/daemon.lock")).trim();
  return {
    child,
    said: () => said,
    runs,
    kill: async () => {
      await host.shell(`kill -KILL ${pid}`);
      await eventually(async () => runs(), false);
    },
  };
}

/** Kills every process of Seawall on the host by SIGKILL, the daemon and its gates. Throws when there was none. */
export async function killSeawall(host: Host): Promise<void> {
  await host.shell(KILL_ALL);
}

// The host has its own process numbers: nothing of the machine is seen from there.
const KILL_ALL = `
killed=0
for process in /proc/[0-9]*; do
  if tr '\\0' ' ' <"$process/cmdline" 2>/dev/null | grep -q '/cli/mai[n]'; then
    kill -KILL "\${process#/proc/}" && killed=$((killed + 1))
  fi
done
[ "$killed" -ge 2 ] || { echo "killed $killed processes, not a daemon and its gates" >&2; exit 1; }
`;
