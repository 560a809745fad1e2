import { spawn } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Finished, run, type RunOptions, runOk } from "../host/command.ts";
import { type Change, changesIn } from "./change.ts";

const START_DEADLINE_MS = 10_000;
const ROOT = join(import.meta.dirname, "../../..");
/** Where this checkout is on every machine of a test; read-only. */
export const CHECKOUT = "/run/checkout";

/** Nothing of the caller's: what a login of root has. */
const ENVIRONMENT = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
  USER: "root",
  LOGNAME: "root",
  LC_ALL: "C.UTF-8",
  DEBIAN_FRONTEND: "noninteractive",
};

/** A machine whose whole file system may be written: an overlay in memory over a tree that stays as it is. */
export interface Machine {
  /** Its first process, as this machine numbers it. */
  readonly pid: number;
  /** Its file system, as this process sees it. */
  readonly root: string;
  readonly run: (argv: readonly string[], options?: RunOptions) => Promise<Finished>;
  /** Runs a POSIX sh script; throws with its output when it fails. */
  readonly shell: (script: string, options?: RunOptions) => Promise<string>;
  /** What differs from the tree below: every path whose content, mode, owner or kind is another. */
  readonly changes: () => readonly Change[];
  readonly stop: () => Promise<void>;
}

/** Starts a machine over `lower` in namespaces of its own. Needs root. It ends with this process, however that ends. */
export async function startMachine(lower: string): Promise<Machine> {
  const folder = mkdtempSync(join(tmpdir(), "seawall-machine-"));
  const words = [
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
  const keeper = spawn(
    "setpriv",
    ["--pdeathsig", "KILL", "unshare", ...words, "sh", "-euc", FIRST_PROCESS, "sh", folder, lower, ROOT],
    { stdio: ["ignore", "pipe", "pipe"], env: ENVIRONMENT, cwd: "/" },
  );
  const ended = new Promise<void>((resolve) => keeper.once("close", () => resolve()));
  const stop = async (): Promise<void> => {
    keeper.kill("SIGKILL");
    await ended;
    rmdirSync(folder);
  };
  let said = "";
  let wrong = "";
  keeper.stderr.setEncoding("utf8").on("data", (text: string) => (wrong += text));
  const pid = await new Promise<number>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no machine in time: ${wrong}`)), START_DEADLINE_MS);
    const end = (): void => {
      clearTimeout(timer);
      reject(new Error(`no machine (needs root and overlayfs): ${wrong}`));
    };
    keeper.once("close", end);
    keeper.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      const match = /^ready (\d+)$/m.exec(said);
      if (match === null) return;
      clearTimeout(timer);
      keeper.off("close", end);
      resolve(Number(match[1]));
    });
  }).catch(async (cause: unknown) => {
    await stop();
    throw cause;
  });
  const spaces = ["--mount", "--pid", "--uts", "--ipc", "--net", "--root"];
  const enter = ["nsenter", "--target", String(pid), ...spaces, "setpriv", "--pdeathsig", "KILL"];
  const inside = (argv: readonly string[], env: RunOptions["env"]): string[] => {
    const variables = Object.entries({ ...ENVIRONMENT, ...env }).map(([name, value]) => `${name}=${value}`);
    return [...enter, "/usr/bin/env", "-i", "-C", "/", ...variables, ...argv];
  };
  return {
    pid,
    root: `/proc/${pid}/root`,
    run: (argv, { env, ...options } = {}) => run(inside(argv, env), options),
    shell: (script, { env, ...options } = {}) => runOk(inside(["/bin/sh", "-euc", script], env), options),
    changes: () => changesIn({ upper: `/proc/${pid}/root/run/upper`, merged: `/proc/${pid}/root`, lower }),
    stop,
  };
}

/** Reads its outer number before it mounts a /proc of its own. /run is where what is not of the machine goes. */
const FIRST_PROCESS = `
read -r outer rest </proc/self/stat
mount -t tmpfs -o mode=755 tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
cd "$1/root"
mount -t proc proc proc
mount --rbind /sys sys
mount -t tmpfs -o mode=755 tmpfs dev
for one in null zero full random urandom tty; do touch "dev/$one"; mount --bind "/dev/$one" "dev/$one"; done
ln -s /proc/self/fd dev/fd
mkdir -m 1777 dev/shm
mount -t tmpfs -o mode=755 tmpfs run
mkdir -p run/upper run/checkout run/lock
mount --bind "$1/upper" run/upper
mount --bind "$3" run/checkout
mount -o remount,ro,bind run/checkout
hostname seawall-machine
ip link set lo up
echo "ready $outer"
exec chroot . /bin/sh -c 'exec >/dev/null 2>&1; while :; do sleep 3600 & wait $! || :; done'
`;
