import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Finished, type RunOptions, finished, run, start } from "./command.ts";

const START_DEADLINE_MS = 10_000;
const STOP_DEADLINE_MS = 5_000;

/** A private world: network, mounts, processes, host name. One kill ends all of it. */
export type Namespace = {
  /** Its first process, as this machine numbers it. `/proc/PID/root` is its file system. */
  readonly pid: number;
  /** `argv` wrapped so that it runs in there; in network namespace `net` of `ip netns` if given. */
  readonly inside: (argv: readonly string[], net?: string) => readonly string[];
  readonly run: (argv: readonly string[], options?: RunOptions) => Promise<Finished>;
  readonly stop: () => Promise<void>;
};

/** Environment of every command in there: nothing of the caller's but the Node that runs this. */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: `/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin:${dirname(process.execPath)}`,
  HOME: "/run/home/root",
  USER: "root",
  LOGNAME: "root",
  TMPDIR: "/run/tmp",
  TMUX_TMPDIR: "/run/tmp",
  LC_ALL: "C.UTF-8",
  TERM: "xterm",
  ...compileCache(),
};

/** Where `npm test` keeps Node's compiled code; nothing where a file is run by itself. */
function compileCache(): Record<string, string> {
  const folder = process.env["NODE_COMPILE_CACHE"];
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
}

/**
 * Starts an empty namespace: loopback up, /etc and /var writable but private (an overlay in memory), /run, /proc
 * and /sys its own. Needs root. It ends with this process, however this process ends.
 */
export async function startNamespace(): Promise<Namespace> {
  const flags = [
    "--net",
    "--mount",
    "--pid",
    "--uts",
    "--ipc",
    "--fork",
    "--kill-child",
    "--propagation",
    "private",
  ];
  const keeper = start(["setpriv", "--pdeathsig", "KILL", "unshare", ...flags, "sh", "-euc", FIRST_PROCESS], {
    env: ENVIRONMENT,
    cwd: "/",
  });
  keeper.stdin?.end();
  const pid = await firstPid(keeper);
  const inside = (argv: readonly string[], net?: string) => [...entering(pid, net), ...argv];
  return {
    pid,
    inside,
    run: (argv, options = {}) =>
      run(inside(argv), { cwd: "/", ...options, env: { ...ENVIRONMENT, ...options.env } }),
    stop: () => stop(keeper, pid),
  };
}

// Reads its outer number from the outer /proc, before it mounts its own.
const FIRST_PROCESS = `
read -r outer rest </proc/self/stat
mount -t proc proc /proc
mount --rbind /sys/fs/cgroup /mnt
mount -t sysfs sysfs /sys
mount --move /mnt /sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/overlay /run/netns /run/lock /run/tmp /run/home/root
chmod 1777 /run/tmp
for d in etc var; do
  mkdir -p /run/overlay/$d/upper /run/overlay/$d/work
  mount -t overlay -o lowerdir=/$d,upperdir=/run/overlay/$d/upper,workdir=/run/overlay/$d/work overlay /$d
done
ln -sfn /proc/self/mounts /etc/mtab
hostname seawall-host
rm -f /etc/resolv.conf
printf '127.0.0.1 localhost seawall-host\\n::1 localhost\\n' >/etc/hosts
ip link set lo up
echo "ready $outer"
exec >/dev/null 2>&1
while :; do sleep 3600 & wait $! || :; done
`;

function entering(pid: number, net: string | undefined): readonly string[] {
  const network = net === undefined ? "--net" : `--net=/proc/${pid}/root/run/netns/${net}`;
  const spaces = ["--mount", "--pid", "--uts", "--ipc", network, "--wd=/"];
  // The command dies with the nsenter that waits for it, so that a deadline ends both.
  return ["nsenter", "--target", String(pid), ...spaces, "setpriv", "--pdeathsig", "KILL"];
}

async function firstPid(keeper: ChildProcess): Promise<number> {
  const { stdout, stderr } = keeper;
  if (!stdout || !stderr) throw new Error("the namespace has no pipes");
  let said = "";
  let wrong = "";
  stderr.setEncoding("utf8").on("data", (text: string) => {
    wrong += text;
  });
  return new Promise<number>((resolve, reject) => {
    const timer = setTimeout(() => {
      keeper.kill("SIGKILL");
      reject(new Error(`the namespace was not ready in ${START_DEADLINE_MS} ms: ${wrong}`));
    }, START_DEADLINE_MS);
    stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      const match = /^ready (\d+)$/m.exec(said);
      if (!match) return;
      clearTimeout(timer);
      resolve(Number(match[1]));
    });
    keeper.once("error", reject);
    keeper.once("close", () => reject(new Error(`no namespace (needs root and overlayfs): ${wrong.trim()}`)));
  });
}

async function stop(keeper: ChildProcess, pid: number): Promise<void> {
  const ended =
    keeper.exitCode === null && keeper.signalCode === null ? finished(keeper, STOP_DEADLINE_MS) : undefined;
  keeper.kill("SIGKILL");
  await ended;
  const limit = Date.now() + STOP_DEADLINE_MS;
  while (existsSync(`/proc/${pid}`)) {
    if (Date.now() > limit) throw new Error(`process ${pid} outlived its namespace`);
    await sleep(10);
  }
}
