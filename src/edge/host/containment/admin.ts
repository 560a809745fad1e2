/** Who else administers this machine, and what an agent would take along to a user of its own. */
import type { Belongings } from "../../../core/containment/facts.ts";
import { type Fact, known, unknown } from "../../../core/containment/facts.ts";
import { type Account, accountOf, type Login, type Machine } from "./machine.ts";
import { sudoRights, type UserSpec } from "./right.ts";

/** LIMIT: accounts that are looked at. */
const LOGINS_MAX = 256;
const NO_LOGIN = /\/(?:nologin|false|sync|shutdown|halt)$/;

/**
 * Returns the other accounts by which a person administers this machine: sudo lets them run everything as root and
 * they have a way in (a password that is not locked, or a key), or root itself has a password. What sudo asks of a
 * directory is not known.
 */
export function otherAdmins(
  machine: Machine,
  account: Account,
  sudoers: Fact<readonly UserSpec[]>,
): Fact<readonly string[]> {
  if (machine.logins === null) return unknown("/etc/passwd cannot be read");
  if (!sudoers.known) return sudoers;
  const others = machine.logins
    .filter(({ uid, shell }) => uid !== account.uid && !NO_LOGIN.test(shell))
    .slice(0, LOGINS_MAX)
    .filter((login) =>
      login.uid === 0 ? hasPassword(machine, login) : isAdmin(machine, login, sudoers.value),
    );
  return known(others.map(({ name }) => name));
}

function isAdmin(machine: Machine, login: Login, specs: readonly UserSpec[]): boolean {
  const rights = sudoRights(accountOf(machine, login.uid, new Set()), specs).filter(
    ({ command, as }) => command === "ALL" && /^(?:ALL|root)\b/.test(as),
  );
  if (hasPassword(machine, login)) return rights.length > 0;
  // Without a password only a key lets it in, and only NOPASSWD lets it on.
  return rights.some(({ free }) => free) && hasKey(machine, login);
}

function hasPassword({ passwords }: Machine, { name }: Login): boolean {
  return passwords?.get(name)?.startsWith("$") === true;
}

function hasKey({ tree }: Machine, { home }: Login): boolean {
  return /^\s*[^#\s]/m.test(tree.text(`${home}/.ssh/authorized_keys`) ?? "");
}

const UNIT_FOLDER = ".config/systemd/user";

/** Returns what is in the home of an agent's user, and a name that no user has; null where no OpenClaw is there. */
export function belongingsOf({ tree, logins }: Machine, { login }: Account): Belongings | null {
  if (login === null || logins === null || tree.trail(`${login.home}/.openclaw`).found === null) return null;
  const units = tree
    .names(`${login.home}/${UNIT_FOLDER}`)
    .filter((name) => /^openclaw[\w.@-]*\.service$/.test(name));
  const taken = new Set(logins.map(({ name }) => name));
  const newUser = ["openclaw", "openclaw-agent", "openclaw-agent2"].find((name) => !taken.has(name));
  if (newUser === undefined) return null;
  return { home: login.home, unit: units.length === 1 ? (units[0] ?? null) : null, newUser };
}
