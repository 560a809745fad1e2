import { spawn } from "node:child_process";

export type Reaper = {
  /** Removes the cgroups now; resolves when they are gone. */
  readonly finish: () => Promise<void>;
};

/**
 * Removes the cgroup `name` of every hierarchy once this process ended, also by kill -9: cgroups are the one thing of
 * a container that does not end with its namespaces. It waits on a pipe that only this process holds open.
 */
export function startReaper(name: string): Reaper {
  const child = spawn("sh", ["-c", WAIT_AND_REMOVE, "seawall-fixture-reaper", name], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
    cwd: "/",
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  child.unref();
  return {
    finish: () => {
      child.ref();
      child.stdin.end();
      return ended;
    },
  };
}

const WAIT_AND_REMOVE = `
cat >/dev/null
i=0
while [ $i -lt 100 ]; do
  left=no
  for d in /sys/fs/cgroup/"$1" /sys/fs/cgroup/*/"$1"; do
    [ -d "$d" ] || continue
    find "$d" -depth -type d -exec rmdir {} ';' 2>/dev/null
    [ -d "$d" ] && left=yes
  done
  [ $left = no ] && exit 0
  i=$((i + 1))
  sleep 0.1
done
`;
