/** The users and groups of a machine, as its files have them. */
import type { Identity } from "./permission.ts";
import type { Tree } from "./tree.ts";

export interface Login {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

export interface Machine {
  readonly tree: Tree;
  /** Null: passwd cannot be read. */
  readonly logins: readonly Login[] | null;
  readonly groups: readonly {
    readonly name: string;
    readonly gid: number;
    readonly members: readonly string[];
  }[];
  /** The password field of shadow by name; null when it cannot be read. */
  readonly passwords: ReadonlyMap<string, string> | null;
}

/** A user whose way out is looked for. */
export interface Account extends Identity {
  readonly name: string | null;
  readonly login: Login | null;
  readonly groups: readonly string[];
}

/** LIMIT: rows read of passwd, group and shadow. */
const ROWS_MAX = 10_000;

/** Returns the users and groups below a tree's /etc. */
export function readMachine(tree: Tree): Machine {
  const logins = rows(tree, "/etc/passwd")?.flatMap(
    ([name = "", , uid = "", gid = "", , home = "", shell = ""]) =>
      isId(uid) && isId(gid) && name !== ""
        ? [{ name, uid: Number(uid), gid: Number(gid), home, shell }]
        : [],
  );
  const groups = (rows(tree, "/etc/group") ?? []).flatMap(([name = "", , gid = "", members = ""]) =>
    isId(gid) ? [{ name, gid: Number(gid), members: members.split(",").filter((one) => one !== "") }] : [],
  );
  const shadow = rows(tree, "/etc/shadow");
  return {
    tree,
    logins: logins ?? null,
    groups,
    passwords: shadow === undefined ? null : new Map(shadow.map(([name = "", hash = ""]) => [name, hash])),
  };
}

/** Returns a user with its groups: those of passwd and group, and those that processes of it have now. */
export function accountOf(machine: Machine, uid: number, processGids: ReadonlySet<number>): Account {
  const login = machine.logins?.find((one) => one.uid === uid) ?? null;
  const gids = new Set(processGids);
  if (login !== null) gids.add(login.gid);
  for (const group of machine.groups)
    if (login !== null && group.members.includes(login.name)) gids.add(group.gid);
  const groups = machine.groups.filter(({ gid }) => gids.has(gid)).map(({ name }) => name);
  return { uid, gids, name: login?.name ?? null, login, groups };
}

function rows(tree: Tree, path: string): string[][] | undefined {
  return tree
    .text(path)
    ?.split("\n", ROWS_MAX)
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(":"));
}

function isId(text: string): boolean {
  return /^[0-9]{1,10}$/.test(text);
}
