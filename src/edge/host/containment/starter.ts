/** Who logs in as a user, and what starts processes for it beside its own unit. */
import { type Fact, known, type Starter, unknown } from "../../../core/containment/facts.ts";
import type { Account, Machine } from "./machine.ts";
import { canLogIn } from "./other-account.ts";
import { mayReplace, mayWrite } from "./permission.ts";
import type { Tree } from "./tree.ts";

/** LIMIT: sessions looked at. */
const SESSIONS_MAX = 1_000;

/** Returns the signs that a person logs in as the user: a usable password, keys, a session now. */
export function personSigns({ tree, passwords }: Machine, account: Account): Fact<readonly string[]> {
  const { login } = account;
  const sessions = sessionsOf(tree, account.uid);
  if (login === null) return known(sessions);
  if (!canLogIn(login.shell)) return known(sessions);
  if (passwords === null) return unknown("/etc/shadow cannot be read");
  const password = passwords.get(login.name) ?? "!";
  // shadow(5): `!` or `*` before the hash is a password that fits nothing.
  const signs = /^[!*]/.test(password) ? [] : ["it has a password"];
  const keys = (tree.text(`${login.home}/.ssh/authorized_keys`) ?? "")
    .split("\n")
    .filter((line) => /^\s*[^#\s]/.test(line));
  if (keys.length > 0) signs.push(`${keys.length} keys in ${login.home}/.ssh/authorized_keys`);
  return known([...signs, ...sessions]);
}

/** logind's files: one a session, with its user and whether it belongs to a person. */
function sessionsOf(tree: Tree, uid: number): string[] {
  return tree
    .names("/run/systemd/sessions", SESSIONS_MAX)
    .filter((name) => /^[A-Za-z0-9]+$/.test(name))
    .filter((name) => {
      const text = tree.text(`/run/systemd/sessions/${name}`) ?? "";
      return new RegExp(`^UID=${uid}$`, "m").test(text) && /^CLASS=user$/m.test(text);
    })
    .map((name) => `session ${name}`);
}

/** Returns what starts processes for a user anywhere: its systemd manager, cron, at, a login over SSH. */
export function startersOf({ tree }: Machine, account: Account): Fact<readonly Starter[]> {
  const { name, uid, login } = account;
  const found: Starter[] = [];
  const manager = [
    `/run/user/${uid}/systemd/private`,
    `/run/user/${uid}/bus`,
    `/var/lib/systemd/linger/${name}`,
  ].find((path) => tree.trail(path).found !== null);
  if (manager !== undefined) found.push({ kind: "user-manager", evidence: manager });
  if (login === null) return known(found);
  if (isAllowed(tree, "cron", login.name) && isThere(tree, CRON)) {
    found.push({ kind: "cron", evidence: "crontab is installed and cron.deny does not name it" });
  }
  if (isAllowed(tree, "at", login.name) && isThere(tree, ["/usr/bin/at"])) {
    found.push({ kind: "at", evidence: "at is installed and at.deny does not name it" });
  }
  // It can put a key of its own there, and sshd on this machine takes it.
  const keys = tree.trail(`${login.home}/.ssh/authorized_keys`);
  const writes = mayWrite(keys, account) || mayReplace(keys, account);
  if (canLogIn(login.shell) && writes && isThere(tree, ["/usr/sbin/sshd"])) {
    found.push({
      kind: "ssh",
      evidence: `it can write ${login.home}/.ssh/authorized_keys and sshd is installed`,
    });
  }
  return known(found);
}

const CRON = ["/usr/bin/crontab", "/usr/bin/fcrontab"];

function isThere(tree: Tree, paths: readonly string[]): boolean {
  return paths.some((path) => tree.trail(path).found !== null);
}

/** crontab(1), at(1): an allow file names who may; else a deny file names who may not. */
function isAllowed(tree: Tree, what: "cron" | "at", name: string): boolean {
  const named = (path: string): boolean | undefined =>
    tree
      .text(path)
      ?.split("\n")
      .some((line) => line.trim() === name);
  return named(`/etc/${what}.allow`) ?? !(named(`/etc/${what}.deny`) ?? false);
}
