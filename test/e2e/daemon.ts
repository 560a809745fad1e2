import { eventually } from "../support/host/eventually.ts";
import type { Host } from "../support/host/host.ts";
import { SEAWALL } from "../support/host/seawall.ts";

const UP_DEADLINE_MS = 30_000;

/** Starts `seawall daemon` on the host and waits until it speaks; it ends with the host. Returns what it said so far. */
export async function startDaemon(host: Host): Promise<() => string> {
  const daemon = host.start([...SEAWALL, "daemon"]);
  daemon.stdin?.end();
  let said = "";
  for (const stream of [daemon.stdout, daemon.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  const isOver = async () => daemon.exitCode !== null || said.includes("seawalld:");
  await eventually(isOver, true, UP_DEADLINE_MS);
  if (daemon.exitCode === null && said.includes("seawalld:")) return () => said;
  daemon.kill("SIGKILL");
  throw new Error(`seawalld is not up (exit ${daemon.exitCode}): ${said}`);
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
