/**
 * A systemd of its own, in namespaces and a cgroup of its own, starts a unit again and again below our slice.
 * Prints as JSON which rules saw the first packet of each start, and what became of the slice.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import {
  dropInText,
  PARENT_SLICE,
  sliceOfScope,
  sliceUnitText,
} from "../../../src/core/containment/slice.ts";
import { cgroupMount, findScopeCgroup, makeScopeSlice } from "../../../src/edge/host/scope-cgroup.ts";
import { startReaper } from "../../support/host/reaper.ts";
import { linkUp, listJson, loadRules } from "./nft.ts";

const SCOPE = "a-b";
const DEADLINE_MS = 50_000;

/** Nothing that systemd does at a start reaches the machine: /dev and /run are new, /proc/sys is read-only. */
const BOOT = `set -e
mount -t proc proc /proc
mount -o bind /proc/sys /proc/sys
mount -o remount,ro,bind /proc/sys
mkdir "$1/dev"
mount -t tmpfs tmpfs "$1/dev"
cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom "$1/dev/"
mkdir "$1/dev/shm"
mount --move "$1/dev" /dev
umount -R -l /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/log
mount --bind "$1/units" /etc/systemd/system
exec env container=seawall-test /lib/systemd/systemd --system --unit=test.target --log-target=null
`;

/** A restart returns when the program of the unit runs; ExecStartPre sent its packet before. */
const DRIVE = `cd "$1"
restart() { systemctl restart openclaw.service && echo "started $(stat -c %i /sys/fs/cgroup/seawall.slice/*/openclaw.service)"; }
exec >result 2>&1
systemctl start '${sliceOfScope(SCOPE)}'
for i in 1 2 3 4 5 6 7 8 9 10; do restart; done
systemctl stop openclaw.service
stat -c 'stopped %i' '/sys/fs/cgroup/seawall.slice/${sliceOfScope(SCOPE)}'
systemctl stop '${sliceOfScope(SCOPE)}'; echo "refused $?"
systemctl restart '${sliceOfScope(SCOPE)}'; echo "refused $?"
systemctl stop seawall.slice; echo "refused $?"
systemctl daemon-reload
restart
systemctl daemon-reexec
restart
echo done
`;

const folder = mkdtempSync(`${tmpdir()}/seawall-test-`);
const name = `seawall-test-${process.pid}`;
const mount = cgroupMount();
const base = `${mount.directory}/${name}`;
const reaper = startReaper(name);
mkdirSync(base);
linkUp("lo");
const place = makeScopeSlice(SCOPE, { directory: base, prefix: `${mount.prefix}${name}/` });
const rule = (path: string, counter: string): string => {
  const { level, nftPath } = findScopeCgroup(path);
  return `socket cgroupv2 level ${level} "${nftPath}" counter name ${counter} accept`;
};
loadRules(`table inet t {
  counter slice { }
  counter parent { }
  counter unmatched { }
  chain output {
    type filter hook output priority -150;
    ${rule(`${name}/${place.path}`, "slice")}
    ${rule(`${name}/seawall.slice`, "parent")}
    udp dport 9 counter name unmatched
  }
}`);

const BARE = "[Unit]\nDefaultDependencies=no\n";
const units: Readonly<Record<string, string>> = {
  "test.target": BARE,
  "openclaw.service": `${BARE}StartLimitIntervalSec=0\n[Service]\nUser=nobody\nExecStartPre=/bin/bash -c "echo x > /dev/udp/127.0.0.1/9"\nExecStart=/bin/sleep 1000\n`,
  "drive.service": `${BARE}[Service]\nExecStart=/bin/sh ${folder}/drive.sh ${folder}\n`,
  "test.target.d/drive.conf": "[Unit]\nWants=drive.service\n",
  "openclaw.service.d/50-seawall.conf": dropInText(SCOPE),
  [PARENT_SLICE]: sliceUnitText(null),
  [sliceOfScope(SCOPE)]: sliceUnitText(SCOPE),
};
for (const inner of ["units/test.target.d", "units/openclaw.service.d"]) {
  mkdirSync(`${folder}/${inner}`, { recursive: true });
}
for (const [path, text] of Object.entries(units)) writeFileSync(`${folder}/units/${path}`, text);
writeFileSync(`${folder}/drive.sh`, DRIVE);

const enter = 'echo $$ > "$1/cgroup.procs" && shift && exec unshare -p -m -u -i -C --fork --kill-child "$@"';
const child = spawn("sh", ["-c", enter, "sh", base, "sh", "-c", BOOT, "sh", folder], {
  stdio: ["ignore", "inherit", "inherit"],
});
const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
const result = (): string => (existsSync(`${folder}/result`) ? readFileSync(`${folder}/result`, "utf8") : "");
try {
  const deadline = Date.now() + DEADLINE_MS;
  while (!result().endsWith("done\n") && child.exitCode === null && Date.now() < deadline) await sleep(50);
  const seen: Record<string, number> = {};
  for (const entry of listJson("counters") as { counter?: { name: string; packets: number } }[]) {
    if (entry.counter !== undefined) seen[entry.counter.name] = entry.counter.packets;
  }
  const idNow = String(statSync(`${base}/${place.path}`, { bigint: true, throwIfNoEntry: false })?.ino);
  console.log(JSON.stringify({ said: result(), seen, made: String(place.id), idNow }));
} finally {
  child.kill("SIGKILL");
  await ended;
  await reaper.finish();
  rmSync(folder, { recursive: true, force: true });
}
