/** Who could log in with a key: the files sshd would look at, read as sshd reads them (StrictModes). */
import { dirname } from "node:path";
import type { Account } from "../../core/audit/fact/listener.ts";
import { modeText } from "../../core/audit/fact/file.ts";
import type { SshContext, SshUser } from "../../core/audit/fact/ssh.ts";
import { parseAuthorizedKeys } from "../../core/audit/read/sshd.ts";
import { namesIn, readText, stateAt, textOf } from "./file.ts";

const SUDO_GROUPS = new Set(["sudo", "wheel", "admin"]);
const NO_SHELL = /\/(?:nologin|false|sync|shutdown|halt)$/;
const DAY_MS = 86_400_000;

/** Returns root, everybody who may become root by a group or a line of sudoers, with the keys that work. */
export function readSshUsers(
  accounts: readonly Account[],
  contexts: readonly SshContext[],
  nowMs: number,
): SshUser[] {
  const sudoers = `${textOf("/etc/sudoers")}\n${sudoersDropIns()}`;
  const expiry = new Map(
    textOf("/etc/shadow")
      .split("\n")
      .map((line) => line.split(":"))
      .map((cells) => [cells[0] ?? "", Number(cells[7] ?? "") || 0]),
  );
  return accounts
    .filter(({ uid, shell }) => uid === 0 || (uid >= 1000 && uid < 65_534 && !NO_SHELL.test(shell)))
    .map((account) => {
      const context = contexts.find(({ user }) => user === account.name) ?? contexts[0];
      const found = context === undefined ? { keys: [], refused: [] } : keysOf(account, context);
      return {
        name: account.name,
        uid: account.uid,
        sudo:
          account.groups.some((group) => SUDO_GROUPS.has(group) && grants(sudoers, `%${group}`)) ||
          grants(sudoers, account.name),
        barred: barredBy(account, expiry.get(account.name) ?? 0, nowMs),
        ...found,
      };
    });
}

function barredBy(account: Account, expiryDay: number, nowMs: number): string | null {
  if (NO_SHELL.test(account.shell) || account.shell === "") return `its shell is ${account.shell}`;
  return expiryDay > 0 && expiryDay * DAY_MS < nowMs ? "the account has expired" : null;
}

function sudoersDropIns(): string {
  const folder = "/etc/sudoers.d";
  return namesOfSudoers(folder)
    .map((name) => textOf(`${folder}/${name}`))
    .join("\n");
}

/** sudoers(5): names that end in `~` or hold a dot are not read. */
function namesOfSudoers(folder: string): string[] {
  return namesIn(folder).filter((name) => !name.endsWith("~") && !name.includes("."));
}

/** Whether some line lets `who` run everything as root. */
function grants(sudoers: string, who: string): boolean {
  return sudoers.split("\n").some((line) => {
    const [first = "", ...rest] = line.trim().split(/\s+/);
    return (
      first === who &&
      /\bALL\b/.test(rest.join(" ")) &&
      /=\s*(\([^)]*\)\s*)?(NOPASSWD:\s*)?ALL\b/.test(rest.join(" "))
    );
  });
}

function keysOf(account: Account, context: SshContext): Pick<SshUser, "keys" | "refused"> {
  const strict = context.options.get("strictmodes")?.[0] !== "no";
  const patterns = (context.options.get("authorizedkeysfile")?.[0] ?? "")
    .split(" ")
    .filter((word) => word !== "" && word !== "none");
  const accepted = (context.options.get("pubkeyacceptedalgorithms")?.[0] ?? "").split(",");
  const keys: { type: string; file: string }[] = [];
  const refused: string[] = [];
  for (const pattern of patterns) {
    const path = expand(pattern, account);
    const content = readText(path, { follow: true });
    if (content.kind !== "text") {
      if (content.kind === "refused") refused.push(content.why);
      continue;
    }
    const problem = strict ? strictProblem(path, account) : null;
    if (problem !== null) refused.push(problem);
    else
      keys.push(
        ...parseAuthorizedKeys(content.text)
          .filter((type) => isAccepted(type, accepted))
          .map((type) => ({ type, file: path })),
      );
  }
  return { keys, refused };
}

/** An RSA key is accepted by the names of its signatures (RFC 8332). */
function isAccepted(type: string, accepted: readonly string[]): boolean {
  const names = type === "ssh-rsa" ? ["ssh-rsa", "rsa-sha2-256", "rsa-sha2-512"] : [type];
  return accepted.length <= 1 || names.some((name) => accepted.includes(name));
}

function expand(pattern: string, account: Account): string {
  const path = pattern.replaceAll(
    /%[%hu]/g,
    (token) => ({ "%%": "%", "%h": account.home, "%u": account.name })[token] ?? token,
  );
  return path.startsWith("/") ? path : `${account.home}/${path}`;
}

/** sshd(8) StrictModes: file and folders up to the home belong to the user or root, and nobody else writes them. */
function strictProblem(path: string, account: Account): string | null {
  for (let at = path; ; at = dirname(at)) {
    const state = stateAt(at);
    if (state === undefined) return null;
    if ((state.uid !== 0 && state.uid !== account.uid) || (state.mode & 0o022) !== 0)
      return `${account.name}: sshd does not use ${path}, because of ${at} (${modeText(state.mode)}, owner ${state.uid})`;
    if (at === account.home || at === "/" || at === dirname(at)) return null;
  }
}
