/** Who could log in with a key: the files sshd would look at, read as sshd reads them (StrictModes). */
import { dirname } from "node:path";
import type { Account } from "../../core/audit/fact/listener.ts";
import { modeText } from "../../core/audit/fact/file.ts";
import type { SshContext, SshUser } from "../../core/audit/fact/ssh.ts";
import { type Caller, entryProblem, keyProblem } from "../../core/audit/read/ssh-entry.ts";
import { parseAuthorizedKeys } from "../../core/audit/read/sshd.ts";
import { namesIn, readText, stateAt, textOf } from "./file.ts";

const SUDO_GROUPS = new Set(["sudo", "wheel", "admin"]);
const NO_SHELL = /\/(?:nologin|false|sync|shutdown|halt)$/;
const DAY_MS = 86_400_000;

/** Returns root, everybody who may become root by a group or a line of sudoers, with the keys that work. */
export function readSshUsers(
  accounts: readonly Account[],
  contexts: readonly SshContext[],
  { operators, nowMs }: { readonly operators: readonly string[]; readonly nowMs: number },
): SshUser[] {
  const sudoers = `${textOf("/etc/sudoers")}\n${sudoersDropIns()}`;
  const shadow = new Map(
    textOf("/etc/shadow")
      .split("\n")
      .map((line) => line.split(":"))
      .map((cells) => [cells[0] ?? "", { secret: cells[1] ?? "", expiryDay: Number(cells[7] ?? "") || 0 }]),
  );
  return accounts
    .filter(({ uid, shell }) => uid === 0 || (uid >= 1000 && uid < 65_534 && !NO_SHELL.test(shell)))
    .map((account) => {
      const context =
        contexts.find(({ user, address }) => user === account.name && operators.includes(address)) ??
        contexts.find(({ user }) => user === account.name) ??
        contexts[0];
      const caller = { name: account.name, groups: account.groups, addresses: operators };
      const found =
        context === undefined ? { keys: [], refused: [] } : keysOf(account, context, { caller, nowMs });
      const whole = [
        account.name,
        ...account.groups.filter((group) => SUDO_GROUPS.has(group)).map((group) => `%${group}`),
      ];
      const granted = whole.some((who) => grants(sudoers, who));
      const { secret = "", expiryDay = 0 } = shadow.get(account.name) ?? {};
      // An account without a password cannot answer sudo's question for it.
      const mute =
        granted && account.password === "locked" && !whole.some((who) => grants(sudoers, who, "freely"));
      return {
        name: account.name,
        uid: account.uid,
        sudo: granted && !mute,
        barred: barredBy(
          account,
          { secret, expiryDay, usePam: context?.options.get("usepam")?.[0] !== "no" },
          nowMs,
        ),
        keys: found.keys,
        refused: [
          ...found.refused,
          ...(mute ? [`${account.name}: sudo asks for a password, and the account has none`] : []),
        ],
      };
    });
}

interface ShadowLine {
  readonly secret: string;
  readonly expiryDay: number;
  readonly usePam: boolean;
}

function barredBy(account: Account, { secret, expiryDay, usePam }: ShadowLine, nowMs: number): string | null {
  if (NO_SHELL.test(account.shell) || account.shell === "") return `its shell is ${account.shell}`;
  // Without PAM sshd itself refuses an account that passwd -l locked; `*` is not locked.
  if (!usePam && secret.startsWith("!"))
    return "the account is locked (passwd -l), and sshd does not use PAM";
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

/** Whether some line lets `who` run everything as root, or does so without asking for a password. */
function grants(sudoers: string, who: string, how: "at all" | "freely" = "at all"): boolean {
  return sudoers.split("\n").some((line) => {
    const [first = "", ...rest] = line.trim().split(/\s+/);
    return (
      first === who &&
      /\bALL\b/.test(rest.join(" ")) &&
      /=\s*(\([^)]*\)\s*)?(NOPASSWD:\s*)?ALL\b/.test(rest.join(" ")) &&
      (how === "at all" || /NOPASSWD:/.test(rest.join(" ")))
    );
  });
}

function keyFilesOf({ options }: SshContext): string[] {
  const words = (options.get("authorizedkeysfile")?.[0] ?? "").split(" ");
  return words.filter((word) => word !== "" && word !== "none");
}

function keysOf(
  account: Account,
  context: SshContext,
  { caller, nowMs }: { readonly caller: Caller; readonly nowMs: number },
): Pick<SshUser, "keys" | "refused"> {
  const strict = context.options.get("strictmodes")?.[0] !== "no";
  const patterns = keyFilesOf(context);
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
    if (problem !== null) {
      refused.push(problem);
      continue;
    }
    for (const { type, options } of parseAuthorizedKeys(content.text)) {
      const why = isAccepted(type, accepted)
        ? keyProblem(options, caller.addresses, nowMs)
        : `sshd does not accept ${type}`;
      if (why === null) keys.push({ type, file: path });
      else refused.push(`${account.name}: a key in ${path} does not help: ${why}`);
    }
  }
  const barred = keys.length === 0 ? null : entryProblem(context, caller);
  if (barred === null) return { keys, refused };
  return { keys: [], refused: [...refused, `${account.name}: sshd refuses the account: ${barred}`] };
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
