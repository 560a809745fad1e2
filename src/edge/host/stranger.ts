/**
 * Running what somebody else may have written, as that user: an agent's program, git in an agent's repository.
 *
 * SECURITY: root takes the user's rights and nothing else with it. The program has no terminal and no descriptor of
 * root's (command.ts), an environment that is named here, no way to gain rights, and a process namespace whose first
 * process is root's: when the program ends, is late or says too much, or when we end, the kernel ends everything that
 * it started, in whatever session that is by now.
 */
import process from "node:process";
import { type Answer, ask, type CommandOptions, findProgram, isProgram, runSync } from "./command.ts";
import { closeInherited } from "./descriptor.ts";

export interface Stranger {
  readonly uid: number;
  readonly gid: number;
}

/** The first process of the namespace: it waits for the program and ends as that does, and with it all others. */
const FIRST_PROCESS = '"$@"; exit $?';
const NAMESPACE = ["unshare", "--fork", "--pid", "--mount-proc", "--kill-child", "--"] as const;

/** Whether this process may run something as `uid`: root may, and a user as itself. */
export function mayRunAs(uid: number): boolean {
  const own = process.geteuid?.() ?? 0;
  return own === 0 || own === uid;
}

/**
 * Runs a program as a user, from `/`, and returns what it said until it ended or was ended. `env` is all of its
 * environment but PATH, LC_ALL and TZ. Rejects when it cannot be started; the caller has asked mayRunAs.
 */
export function runAs(
  { uid, gid }: Stranger,
  [program, ...args]: readonly [program: string, ...args: string[]],
  options: CommandOptions = {},
): Promise<Answer> {
  const path = program.startsWith("/") ? program : (findProgram(program) ?? program);
  if (!isProgram(path)) return Promise.reject(new Error(`${path} is not there`));
  closeInherited();
  const isRoot = process.geteuid?.() === 0;
  const user = [
    "setpriv",
    `--reuid=${uid}`,
    `--regid=${gid}`,
    "--clear-groups",
    "--inh-caps=-all",
    "--no-new-privs",
    "--",
  ];
  const words = [...(isRoot && uid !== 0 ? user : []), path, ...args];
  const [first = path, ...rest] = isRoot && hasNamespaces() ? [...NAMESPACE, ...asFirst(words)] : words;
  return ask(first, rest, { ...options, cwd: "/" });
}

function asFirst(words: readonly string[]): string[] {
  return ["sh", "-c", FIRST_PROCESS, "sh", ...words];
}

let namespaces: boolean | undefined;

/** A container without CAP_SYS_ADMIN makes none; what a program leaves behind there stays, as its user's. */
function hasNamespaces(): boolean {
  const [program, ...words] = NAMESPACE;
  namespaces ??= findProgram(program) !== undefined && runSync(program, [...words, "true"]).status === 0;
  return namespaces;
}
