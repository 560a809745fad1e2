/**
 * Which processes are this host's own SSH server. SECURITY: no name counts, everybody chooses their own. It is a
 * process of root, in the host's own file system, processes and users, in no container, that runs the file which the
 * host's package keeps where only root writes.
 */
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { isInContainer } from "./cgroup.ts";
import { type FileIdentity, identityOf, kernelLink, processIds, readText, uidsOf } from "./proc.ts";

export type SshServer = "sshd" | "dropbear" | "tailscaled";

export interface SshProgram {
  readonly server: SshServer;
  /** What it is there for: a program that only serves one login takes no new ones. */
  readonly part: "whole" | "session" | "login";
}

const OPENSSH_FOLDERS = ["/usr/lib/openssh", "/usr/libexec/openssh", "/usr/libexec"];
const PROGRAMS: ReadonlyMap<string, SshProgram> = new Map<string, SshProgram>([
  ["/usr/sbin/sshd", { server: "sshd", part: "whole" }],
  ["/usr/sbin/dropbear", { server: "dropbear", part: "whole" }],
  ["/usr/sbin/tailscaled", { server: "tailscaled", part: "whole" }],
  // OpenSSH 9.8 and later: one program a session, one until somebody is logged in.
  ...OPENSSH_FOLDERS.flatMap((folder): [string, SshProgram][] => [
    [`${folder}/sshd-session`, { server: "sshd", part: "session" }],
    [`${folder}/sshd-auth`, { server: "sshd", part: "login" }],
  ]),
]);
const OTHERS_MAY_WRITE = 0o022;
const REPLACED = " (deleted)";

/** Tells the host's SSH servers from everything else, as the machine is now. */
export interface SshPrograms {
  /** Returns which program of the host's SSH a process runs, whoever runs it. */
  readonly programOf: (pid: number) => SshProgram | undefined;
  /** Returns the same for a process that is one of the host's SSH servers: root's, in the host's own place. */
  readonly serverOf: (pid: number) => SshProgram | undefined;
  /** Whether a process sees the host's whole file system; a server that does not know yet who comes is shut away. */
  readonly seesHost: (pid: number) => boolean;
}

/** Reads which files are the host's SSH. Asks of a process are made when they are needed. */
export function sshPrograms(): SshPrograms {
  const files = new Map<FileIdentity, SshProgram>();
  for (const [path, program] of PROGRAMS) {
    const identity = isRoots(path) ? identityOf(path) : undefined;
    if (identity !== undefined) files.set(identity, program);
  }
  const root = identityOf("/");
  const spaces = ["pid", "user"].map((space) => [space, kernelLink(`/proc/self/ns/${space}`)] as const);
  const firstCgroup = readText("/proc/1/cgroup");
  const programOf = (pid: number): SshProgram | undefined => {
    const identity = identityOf(`/proc/${pid}/exe`);
    // The kernel's own threads run no file.
    return identity === undefined ? undefined : (files.get(identity) ?? replacedProgram(pid));
  };
  const seesHost = (pid: number): boolean => root !== undefined && identityOf(`/proc/${pid}/root`) === root;
  const isHosts = (pid: number): boolean => {
    const uids = uidsOf(pid);
    if (uids.length === 0 || uids.some((uid) => uid !== 0)) return false;
    // `ip netns exec` and a unit's own mounts are other mount namespaces of the same root: the root decides.
    if (!seesHost(pid)) return false;
    if (spaces.some(([space, ours]) => ours === undefined || kernelLink(`/proc/${pid}/ns/${space}`) !== ours))
      return false;
    return !isInContainer(readText(`/proc/${pid}/cgroup`), firstCgroup);
  };
  return {
    programOf,
    seesHost,
    serverOf: (pid) => {
      const program = programOf(pid);
      return program !== undefined && isHosts(pid) ? program : undefined;
    },
  };
}

/**
 * SECURITY: an upgrade puts a new file in the place of the one that runs, until the service is restarted. The kernel
 * keeps the path by which the old one was started. Only root has ever put anything at that path, for it and every
 * folder above are root's alone; and a process of root in the host's own place (asked besides) sees no other folder
 * there, unless root itself mounted one.
 */
function replacedProgram(pid: number): SshProgram | undefined {
  const path = kernelLink(`/proc/${pid}/exe`);
  if (path?.endsWith(REPLACED) !== true) return undefined;
  const before = path.slice(0, -REPLACED.length);
  const program = PROGRAMS.get(before);
  if (program === undefined || !foldersAbove(before).every(isRootsAlone)) return undefined;
  return isRootsAlone(`/proc/${pid}/exe`) ? program : undefined;
}

/** Whether a program can have been put there by root alone. */
function isRoots(path: string): boolean {
  return isRootsAlone(path) && foldersAbove(path).every(isRootsAlone);
}

function foldersAbove(path: string): string[] {
  const above = dirname(path);
  return above === path ? [] : [above, ...foldersAbove(above)];
}

function isRootsAlone(path: string): boolean {
  try {
    const { uid, mode } = statSync(path);
    return uid === 0 && (mode & OTHERS_MAY_WRITE) === 0;
  } catch {
    return false;
  }
}

/** Returns the processes that run a program of the host's SSH as its servers, with what they are. */
export function sshServers(programs: SshPrograms): ReadonlyMap<number, SshProgram> {
  return new Map(
    processIds().flatMap((pid): [number, SshProgram][] => {
      const program = programs.serverOf(pid);
      return program === undefined ? [] : [[pid, program]];
    }),
  );
}
