/** Who is behind a process that changed rules, as long as it lives: most `nft` are gone within a millisecond. */
import { readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import { shownName } from "../../core/drift/shown.ts";

export interface ChangeOrigin {
  /** Its command in full (`iptables-restore`), or the script that an interpreter runs (`fail2ban-server`, `seawall`). */
  readonly command: string;
  /** Who started it, the parent first. */
  readonly ancestors: readonly string[];
  /** The systemd unit that it runs in (`nftables.service`, `session-3.scope`). */
  readonly unit: string | null;
}

/** LIMIT: processes named above one. */
export const ANCESTORS_MAX = 8;
/** PROC_PID_INIT_INO of linux/proc_ns.h: the pid namespace that the kernel numbers tasks in. */
const FIRST_PID_NAMESPACE = "pid:[4026531836]";
const INTERPRETER = /^(?:python|perl|ruby|node|sh|bash|dash)[\d.]*$/;

/** Whether process ids that the kernel tells us are those of /proc here. */
export function inFirstPidNamespace(): boolean {
  try {
    return readlinkSync("/proc/self/ns/pid") === FIRST_PID_NAMESPACE;
  } catch {
    return false;
  }
}

/**
 * Returns who is behind a task that calls itself `program` (as shownName has it), or null when it has ended: a
 * number that somebody else has by now is told by its name. SECURITY: of a command line only the program's and the
 * script's file name are taken; what follows may be a secret.
 */
export function originOf(task: number, program: string): ChangeOrigin | null {
  if (task <= 0 || shownName(textOf(`/proc/${task}/comm`).replace(/\n$/, "")) !== program) return null;
  let parent = parentOf(task);
  const command = commandOf(task);
  const unit = unitOf(task);
  // It ended while we looked.
  if (command === "") return null;
  const ancestors: string[] = [];
  while (parent > 0 && ancestors.length < ANCESTORS_MAX) {
    ancestors.push(commandOf(parent));
    parent = parentOf(parent);
  }
  return { command, ancestors, unit };
}

function parentOf(pid: number): number {
  return Number(/^PPid:\t(\d+)$/m.exec(textOf(`/proc/${pid}/status`))?.[1] ?? 0);
}

function commandOf(pid: number): string {
  const [first = "", ...rest] = textOf(`/proc/${pid}/cmdline`).split("\0");
  const name = basename(first).replace(/^-/, "").split(" ", 1)[0] ?? "";
  if (name === "") return shownName(textOf(`/proc/${pid}/comm`).trimEnd());
  const script = rest.find((word) => !/^-[A-Za-z]*$/.test(word) || /[cem]/.test(word)) ?? "";
  if (!INTERPRETER.test(name) || !/^\/\S+$/.test(script)) return shownName(name);
  return script === process.argv[1] ? "seawall" : shownName(basename(script));
}

/** The innermost unit of its control group. */
function unitOf(pid: number): string | null {
  const path = /^0::(.*)$/m.exec(textOf(`/proc/${pid}/cgroup`))?.[1] ?? "";
  const unit = path.split("/").findLast((part) => /\.(?:service|scope|socket|mount)$/.test(part));
  return unit === undefined ? null : shownName(unit);
}

/** A process that has ended reads as nothing. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
