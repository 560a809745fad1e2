/** Sockets of container runtimes: who can write to one starts containers as root. */
import { type Fact, known, unknown } from "../../../core/containment/facts.ts";
import { RUNTIME_SOCKETS } from "../../../core/containment/runtime-socket.ts";
import { findProgram, runSync } from "../command.ts";
import type { Account } from "./machine.ts";
import { mayWrite } from "./permission.ts";
import type { Tree } from "./tree.ts";

/** LIMIT: time for ls and getfacl. */
const DEADLINE_MS = 2_000;

/** Returns the sockets that an account can write to, by mode or by access list (acl(5)). */
export function reachableSockets(tree: Tree, account: Account): Fact<readonly string[]> {
  const there = RUNTIME_SOCKETS.map((path) => tree.trail(path)).filter(
    ({ found }) => found?.isSocket() === true,
  );
  const open = there.filter((trail) => mayWrite(trail, account)).map(({ path }) => path);
  const shut = [...new Set(there.map(({ path }) => path))].filter((path) => !open.includes(path));
  const listed = byAccessList(tree, account, shut);
  if (listed === undefined) return unknown("a socket has an access list, and getfacl is not installed (acl)");
  return known([...new Set([...open, ...listed])]);
}

/** `ls` marks an access list with `+`; only then is getfacl needed. */
function byAccessList(tree: Tree, account: Account, paths: readonly string[]): string[] | undefined {
  if (paths.length === 0) return [];
  const { stdout } = runSync("ls", ["-ldn", ...paths.map((path) => `${tree.root}${path}`)], {
    deadlineMs: DEADLINE_MS,
  });
  const marked = paths.filter((path) =>
    stdout.split("\n").some((line) => /^\S{10}\+/.test(line) && line.endsWith(` ${tree.root}${path}`)),
  );
  if (marked.length === 0) return [];
  if (findProgram("getfacl") === undefined) return undefined;
  return marked.filter((path) => {
    const list = runSync("getfacl", ["-n", "-p", "--", `${tree.root}${path}`], { deadlineMs: DEADLINE_MS });
    return list.stdout.split("\n").some((line) => {
      const [, kind, id] = /^(user|group):(\d+):.*w/.exec(line) ?? [];
      if (kind === undefined) return false;
      return kind === "user" ? Number(id) === account.uid : account.gids.has(Number(id));
    });
  });
}
