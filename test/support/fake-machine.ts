/** A machine's files below a temporary folder, with owners and modes, for what reads the host as root. */
import { chmodSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { TestContext } from "node:test";
import { temporaryDirectory } from "./temporary-directory.ts";

/** The uid of the user `agent`. */
export const UID = 4242;

/** A file: its text, or what else is there. Owner and mode are root's 0644 (folders 0755) unless said. */
export type Entry =
  | string
  | {
      readonly text?: string;
      readonly link?: string;
      readonly folder?: true;
      readonly uid?: number;
      readonly gid?: number;
      readonly mode?: number;
    };

/** An ordinary machine: root, the agent without a password, bob with sudo. */
export const MACHINE: Readonly<Record<string, Entry>> = {
  "/etc/passwd":
    "root:x:0:0::/root:/bin/bash\nagent:x:4242:4242::/home/agent:/bin/bash\nbob:x:1000:1000::/home/bob:/bin/bash\n",
  "/etc/group": "root:x:0:\nagent:x:4242:\ndocker:x:998:\nsudo:x:27:bob\nops:x:500:agent\n",
  "/etc/shadow": { text: "root:!:1::::::\nagent:!:1::::::\nbob:$y$x:1::::::\n", mode: 0o640 },
  "/etc/sudoers": "root ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n",
  "/usr/bin/sudo": { text: "", mode: 0o4755 },
  "/usr/bin/crontab": "",
  "/usr/sbin/sshd": "",
  "/root": { folder: true, mode: 0o700 },
  "/home/agent": { folder: true, uid: UID, gid: UID },
  "/home/bob": { folder: true, uid: 1000, gid: 1000 },
  "/proc/1/ns/user": { link: "user:[1]" },
  ...processOf(70, { uid: UID, cgroup: "/system.slice/other" }),
};

/** Returns the files of /proc of one process. */
export function processOf(
  pid: number,
  {
    uid,
    cgroup,
    capabilities = "0",
    users = "user:[1]",
    groups = "4242",
    privileges = 0,
    net = "net:[1]",
  }: {
    readonly uid: number;
    readonly cgroup: string;
    readonly capabilities?: string;
    readonly users?: string;
    readonly groups?: string;
    readonly privileges?: number;
    readonly net?: string;
  },
): Record<string, Entry> {
  const mask = capabilities.padStart(16, "0");
  const ids = `${uid}\t${uid}\t${uid}\t${uid}`;
  return {
    [`/proc/${pid}/status`]: `Name:\tnode\nUid:\t${ids}\nGid:\t${ids}\nGroups:\t${groups} \nCapInh:\t0000000000000000\nCapPrm:\t${mask}\nCapEff:\t${mask}\nCapAmb:\t0000000000000000\nNoNewPrivs:\t${privileges}\n`,
    [`/proc/${pid}/cgroup`]: `1:name=systemd:/x\n0::${cgroup}\n`,
    [`/proc/${pid}/ns/user`]: { link: users },
    [`/proc/${pid}/ns/net`]: { link: net },
  };
}

/** Returns the root of an ordinary machine with some files more, or others. */
export function machine(t: TestContext, more: Readonly<Record<string, Entry>>): string {
  const root = temporaryDirectory(t);
  chmodSync(root, 0o755);
  for (const [path, entry] of Object.entries({ ...MACHINE, ...more })) put(`${root}${path}`, entry);
  return root;
}

function put(path: string, entry: Entry): void {
  mkdirSync(dirname(path), { recursive: true });
  const one = typeof entry === "string" ? { text: entry } : entry;
  if (one.link !== undefined) return symlinkSync(one.link, path);
  if (one.folder === true) mkdirSync(path, { recursive: true });
  else writeFileSync(path, one.text ?? "");
  lchownSync(path, one.uid ?? 0, one.gid ?? 0);
  chmodSync(path, one.mode ?? (one.folder === true ? 0o755 : 0o644));
}
