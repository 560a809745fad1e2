import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { cgroupMount } from "../../../src/edge/host/scope-cgroup.ts";
import { type Finished, run, type RunOptions, runOk } from "../host/command.ts";
import { type Reaper, startReaper } from "../host/reaper.ts";
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

export interface MachineWanted {
  /** The tree below. */
  readonly lower: string;
  /** The first process is systemd, which starts no unit by itself; the test does. */
  readonly systemd?: true;
}

/** Starts a machine in namespaces of its own. Needs root. It ends with this process, however that ends. */
export async function startMachine({ lower, systemd }: MachineWanted): Promise<Machine> {
  const folder = mkdtempSync(join(tmpdir(), "seawall-machine-"));
  const cgroup = systemd === true ? makeCgroup(basename(folder)) : null;
  const words = ["--net", "--mount", "--pid", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child"].concat(
    "--propagation",
    "private",
  );
  const firstProcess = `${FIRST_PROCESS}${systemd === true ? INIT : IDLE}`;
  const keeper = spawn(
    "setpriv",
    ["--pdeathsig", "KILL", "sh", "-euc", ENTER_CGROUP, "sh", cgroup?.path ?? "", "unshare"].concat(words, [
      "sh",
      "-euc",
      firstProcess,
      "sh",
      folder,
      lower,
      ROOT,
    ]),
    { stdio: ["ignore", "pipe", "pipe"], env: ENVIRONMENT, cwd: "/" },
  );
  const ended = new Promise<void>((resolve) => keeper.once("close", () => resolve()));
  const stop = async (): Promise<void> => {
    keeper.kill("SIGKILL");
    await ended;
    await cgroup?.reaper.finish();
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

/** Reads its outer number before it mounts a /proc of its own, and says it once its root is the machine's. /run is where what is not of the machine goes. */
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
ln -s pts/ptmx dev/ptmx
mkdir -m 1777 dev/shm
mount -t tmpfs -o mode=755 tmpfs run
mkdir -p run/upper run/checkout run/lock
mount --bind "$1/upper" run/upper
mount --bind "$3" run/checkout
mount -o remount,ro,bind run/checkout
hostname seawall-machine
ip link set lo up
`;
const IDLE = `
exec chroot . /bin/sh -c 'echo "ready $1"; exec >/dev/null 2>&1; while :; do sleep 3600 & wait $! || :; done' sh $outer
`;

/** No unit, generator or mount of the machine below: only what a test starts. The kernel's settings are read-only. */
const INIT = `
mount --bind proc/sys proc/sys
mount -o remount,ro,bind proc/sys
umount -R -l sys
mount -o ro -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
rm -rf etc/systemd/system/*.wants usr/lib/systemd/system/*.wants lib/systemd/system/*.wants
rm -rf usr/lib/systemd/system-generators lib/systemd/system-generators etc/systemd/system-generators
: >etc/fstab
printf '[Unit]\\nDefaultDependencies=no\\n' >etc/systemd/system/seawall-test.target
words='--system --unit=seawall-test.target --log-target=null'
exec chroot . /bin/sh -c "echo ready $outer; exec >/dev/null 2>&1; container=seawall-test exec /lib/systemd/systemd $words"
`;

const ENTER_CGROUP = `[ -z "$1" ] || echo $$ >"$1/cgroup.procs"; shift; exec "$@"`;

function makeCgroup(name: string): { readonly path: string; readonly reaper: Reaper } {
  const path = join(cgroupMount().directory, name);
  const reaper = startReaper(name);
  mkdirSync(path);
  return { path, reaper };
}
