import { fileURLToPath } from "node:url";
import type { Finished } from "./command.ts";
import type { Host } from "./host.ts";

const SHARE = fileURLToPath(new URL("../../../share/boot/", import.meta.url));
/** A Debian without Node: nothing else is found. */
const BARE = "/usr/sbin:/usr/bin:/sbin:/bin";

/** The scripts of the way back and of the start, as they are installed; they get no Node and no environment of ours. */
export async function runShipped(
  host: Host,
  script: "boot.sh" | "rescue.sh",
  ...words: readonly string[]
): Promise<Finished> {
  return host.run(["env", "-i", `PATH=${BARE}`, "/bin/sh", `${SHARE}${script}`, ...words]);
}

/** The rescue rules, as one loads them from a provider's console. */
export const RESCUE_RULES = `${SHARE}rescue.nft`;

/**
 * What a restart does to Seawall: every process of it ends without a word, the kernel forgets its rules and its
 * connections, /run is empty, and boot.sh runs. Returns what it said.
 */
export async function restart(host: Host, cmdline = "quiet"): Promise<Finished> {
  await host.shell(`
pkill -KILL -f '[m]ain.ts (daemon|gate)' || true
nft flush ruleset
conntrack -F 2>/dev/null || true
rm -rf /run/seawall
umount /proc/cmdline 2>/dev/null || true
echo '${cmdline}' >/run/cmdline
mount --bind /run/cmdline /proc/cmdline`);
  return runShipped(host, "boot.sh");
}
