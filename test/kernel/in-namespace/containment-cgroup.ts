/**
 * What `socket cgroupv2` matches, with real cgroups. Prints one JSON object: for each case the packets that each
 * of four rules saw: `leaf` (a unit's own cgroup), `slice` (ours), `parent` (of all of ours), `unmatched`.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { chownSync, mkdirSync, rmdirSync } from "node:fs";
import { cgroupMount, findScopeCgroup, makeScopeSlice } from "../../../src/edge/host/scope-cgroup.ts";
import { startReaper } from "../../support/host/reaper.ts";
import { linkUp, listJson, loadRules } from "./nft.ts";

export interface Matched {
  readonly leaf: number;
  readonly slice: number;
  readonly parent: number;
  readonly unmatched: number;
}

/** LIMIT: starts of the unit in the test of restarts. */
const RESTARTS = 40;
const UNPRIVILEGED = 4242;

const mount = cgroupMount();
const name = `seawall-test-${process.pid}`;
const base = `${mount.directory}/${name}`;
// It removes everything below `base` when this process ended, also by kill -9.
const reaper = startReaper(name);
mkdirSync(base);
linkUp("lo");

// The tree as it is on a machine, one level deeper.
const place = makeScopeSlice("a-b", { directory: base, prefix: `${mount.prefix}${name}/` });
const slice = `${base}/${place.path}`;
const leaf = `${slice}/openclaw.service`;
mkdirSync(leaf);

const ruleOf = (path: string, counter: string, verdict: string): string => {
  const { level, nftPath } = findScopeCgroup(path);
  return `socket cgroupv2 level ${level} "${nftPath}" counter name ${counter} ${verdict}`;
};
loadRules(`table inet t {
  counter leaf { }
  counter slice { }
  counter parent { }
  counter unmatched { }
  counter wrong { }
  chain output {
    type filter hook output priority -150;
    socket cgroupv2 level 7 "${findScopeCgroup(`${name}/${place.path}`).nftPath}" counter name wrong
    ${ruleOf(`${name}/${place.path}/openclaw.service`, "leaf", "")}
    ${ruleOf(`${name}/${place.path}`, "slice", "accept")}
    ${ruleOf(`${name}/seawall.slice`, "parent", "accept")}
    udp dport 9 counter name unmatched
  }
}`);

function counted(): Matched & { readonly wrong: number } {
  const seen: Record<string, number> = {};
  for (const entry of listJson("counters") as { counter?: { name: string; packets: number } }[]) {
    if (entry.counter !== undefined) seen[entry.counter.name] = entry.counter.packets;
  }
  execFileSync("nft", ["reset", "counters"]);
  return seen as unknown as Matched & { wrong: number };
}

/** Runs bash and returns which rules saw its packets. `$LEAF`, `$SLICE` and `$ROOT` are cgroup.procs files. */
function matched(script: string, as = 0): Matched & { readonly wrong: number; readonly said: string } {
  const ids = as === 0 ? [] : [`--reuid=${as}`, `--regid=${as}`, "--clear-groups"];
  // The process is put into the leaf by root, as a service manager does, and then becomes the user.
  const enter = as === 0 ? "" : 'echo $$ > "$LEAF" && ';
  const run = spawnSync("sh", ["-c", `${enter}exec setpriv ${ids.join(" ")} bash -c "$0"`, script], {
    encoding: "utf8",
    env: {
      PATH: process.env["PATH"],
      LEAF: `${leaf}/cgroup.procs`,
      SLICE: `${slice}/cgroup.procs`,
      ROOT: `${mount.directory}/cgroup.procs`,
      BELOW: `${leaf}/below`,
    },
  });
  return { ...counted(), said: `${run.stdout}${run.stderr}` };
}

/** An exited process keeps its cgroup busy until its parent has read its status; that is done, but not in no time. */
function removed(directory: string): void {
  for (let attempt = 0; ; attempt += 1) {
    try {
      rmdirSync(directory);
      return;
    } catch (error) {
      if (attempt > 1_000) throw error;
      execFileSync("sleep", ["0.01"]);
    }
  }
}

const SEND = "echo x > /dev/udp/127.0.0.1/9";
const ENTER = 'echo $$ > "$LEAF"';
const inside = matched(`${ENTER}; ${SEND}`);
const inside6 = matched(`${ENTER}; echo x > /dev/udp/::1/9`);
const below = matched(`mkdir "$BELOW"; echo $$ > "$BELOW/cgroup.procs"; ${SEND}`);
removed(`${leaf}/below`);
const outside = matched(SEND);
const openedBefore = matched(`exec 3> /dev/udp/127.0.0.1/9; ${ENTER}; echo x >&3`);
const left = matched(`${ENTER}; exec 3> /dev/udp/127.0.0.1/9; echo $$ > "$ROOT"; echo x >&3`);

chownSync(leaf, UNPRIVILEGED, UNPRIVILEGED);
chownSync(`${leaf}/cgroup.procs`, UNPRIVILEGED, UNPRIVILEGED);
const delegated = matched(
  `mkdir "$BELOW" && echo $$ > "$BELOW/cgroup.procs" && echo moved; echo $$ > "$ROOT"; echo $$ > "$SLICE"; ${SEND}`,
  UNPRIVILEGED,
);
removed(`${leaf}/below`);

const restarts: Matched[] = [];
for (let start = 0; start < RESTARTS; start += 1) {
  removed(leaf);
  mkdirSync(leaf);
  restarts.push(matched(`${ENTER}; ${SEND}`));
}

removed(leaf);
removed(slice);
const again = makeScopeSlice("a-b", { directory: base, prefix: `${mount.prefix}${name}/` });
mkdirSync(leaf);
const remade = matched(`${ENTER}; ${SEND}`);

chownSync(`${slice}/cgroup.procs`, UNPRIVILEGED, UNPRIVILEGED);
const refusal = (run: () => unknown): string => {
  try {
    run();
    return "no error";
  } catch (error) {
    return String(error);
  }
};
const result = {
  inside,
  inside6,
  below,
  outside,
  openedBefore,
  left,
  delegated,
  restarts,
  remade,
  sameId: again.id === place.id,
  notRoots: refusal(() => makeScopeSlice("a-b", { directory: base, prefix: "" })),
  missing: refusal(() => findScopeCgroup(`${name}/none`)),
  missingForNft: refusal(() =>
    loadRules(
      `table inet u { chain output { type filter hook output priority 0; socket cgroupv2 level 2 "${name}/none" drop; }; }`,
    ),
  ),
  hidden: execFileSync(
    "unshare",
    [
      "-m",
      "sh",
      "-c",
      'umount -l /sys && mount -t sysfs seawall /sys && exec "$0" --input-type=module -e "$1" "$2"',
      process.execPath,
      "const { cgroupMount } = await import(process.argv[1]); try { cgroupMount(); console.log('no error') } catch (error) { console.log(String(error)) }",
      new URL("../../../src/edge/host/scope-cgroup.ts", import.meta.url).href,
    ],
    { encoding: "utf8" },
  ).trim(),
};
await reaper.finish();
console.log(JSON.stringify(result));
