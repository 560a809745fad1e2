/** What sudo, doas and polkit let a user do. */
import {
  type Fact,
  known,
  type PolkitRule,
  type SudoRight,
  unknown,
} from "../../../core/containment/facts.ts";
import { findProgram, runSync } from "../command.ts";
import type { Account } from "./machine.ts";
import type { Tree } from "./tree.ts";

/** LIMIT: time for cvtsudoers. */
const CVTSUDOERS_DEADLINE_MS = 2_000;
/** LIMIT: files that sudoers includes. */
const INCLUDES_MAX = 200;

/** Reads sudoers(5) through sudo's own cvtsudoers, once for all accounts. */
export function readSudoers(tree: Tree): Fact<readonly UserSpec[]> {
  const installed = ["/usr/bin/sudo", "/usr/local/bin/sudo"].some((path) => tree.trail(path).found !== null);
  if (!installed) return known([]);
  const sources = /^sudoers:(.*)$/m.exec(tree.text("/etc/nsswitch.conf") ?? "")?.[1] ?? "";
  if (/\b(sss|ldap)\b/.test(sources)) return unknown("sudo asks a directory too (nsswitch.conf: sudoers)");
  const text = sudoersText(tree, "/etc/sudoers", { left: INCLUDES_MAX });
  if (text === undefined) return unknown("/etc/sudoers cannot be read");
  if (findProgram("cvtsudoers") === undefined)
    return unknown("cvtsudoers, which reads sudoers, is not installed");
  return convert(text);
}

function convert(text: string): Fact<readonly UserSpec[]> {
  try {
    const { status, stdout, stderr } = runSync("cvtsudoers", ["-f", "json", "-e", "-"], {
      input: text,
      deadlineMs: CVTSUDOERS_DEADLINE_MS,
    });
    if (status !== 0) return unknown(`cvtsudoers does not take sudoers: ${stderr.split("\n", 1)[0] ?? ""}`);
    if (stdout.trim() === "") return known([]);
    return known((JSON.parse(stdout) as { User_Specs?: readonly UserSpec[] }).User_Specs ?? []);
  } catch (error) {
    return unknown(`cvtsudoers did not end well: ${String(error)}`);
  }
}

/** Includes are put in here, because cvtsudoers would read them from the machine's own root. */
function sudoersText(tree: Tree, path: string, budget: { left: number }): string | undefined {
  const text = tree.text(path);
  budget.left -= 1;
  if (text === undefined || budget.left < 0) return undefined;
  const lines = text.split("\n").map((line) => {
    const [, kind, target] = /^[@#](includedir|include)[ \t]+"?([^"\s]+)"?/.exec(line) ?? [];
    if (kind === undefined || target === undefined) return line;
    const at = target.startsWith("/") ? target : `/etc/${target}`;
    if (kind === "include") return sudoersText(tree, at, budget) ?? "";
    // sudoers(5): names with a dot or a final ~ are not read.
    const names = tree.names(at).filter((name) => !name.includes(".") && !name.endsWith("~"));
    return names.map((name) => sudoersText(tree, `${at}/${name}`, budget) ?? "").join("\n");
  });
  return `${lines.join("\n")}\n`;
}

interface Member {
  readonly username?: string;
  readonly userid?: number;
  readonly usergroup?: string;
  readonly usergid?: number;
  readonly command?: string;
  readonly negated?: boolean;
}

interface CommandSpec {
  readonly runasusers?: readonly Member[];
  readonly runasgroups?: readonly Member[];
  readonly Options?: readonly { readonly authenticate?: boolean }[];
  readonly Commands?: readonly Member[];
}

export interface UserSpec {
  readonly User_List: readonly Member[];
  readonly Cmnd_Specs?: readonly CommandSpec[];
}

/**
 * Returns what sudo runs for the account as another user. Hosts are not looked at: a rule for another machine
 * counts, and so does one that a later rule takes back.
 */
export function sudoRights(account: Account, specs: readonly UserSpec[]): SudoRight[] {
  return specs
    .filter(({ User_List: list }) => list.some((member) => isMember(account, member)))
    .flatMap(({ Cmnd_Specs: all = [] }) => all.flatMap((spec) => rightsOf(account, spec)));
}

function isMember({ name, uid, groups, gids }: Account, member: Member): boolean {
  if (member.negated === true) return false;
  if (member.username !== undefined) return member.username === "ALL" || member.username === name;
  if (member.userid !== undefined) return member.userid === uid;
  if (member.usergroup !== undefined) return groups.includes(member.usergroup);
  // A netgroup or a directory's group cannot be told from here: it counts.
  return member.usergid === undefined || gids.has(member.usergid);
}

function rightsOf(account: Account, spec: CommandSpec): SudoRight[] {
  const asUsers = spec.runasusers?.map((one) => one.username ?? `#${one.userid ?? "?"}`);
  const others = (asUsers ?? ["root"]).filter((one) => one !== account.name && one !== `#${account.uid}`);
  const as = others.length > 0 ? others.join(",") : spec.runasgroups === undefined ? null : "another group";
  if (as === null) return [];
  const free = spec.Options?.some(({ authenticate }) => authenticate === false) === true;
  return (spec.Commands ?? [])
    .filter(({ negated }) => negated !== true)
    .map(({ command }) => ({ command: command ?? "?", as, free }));
}

/** Returns the lines of doas.conf(5) that permit the account something as another user. */
export function doasLines(tree: Tree, account: Account): Fact<readonly string[]> {
  const path = ["/etc/doas.conf", "/usr/local/etc/doas.conf"].find((one) => tree.trail(one).found !== null);
  if (path === undefined) return known([]);
  const text = tree.text(path);
  if (text === undefined) return unknown(`${path} cannot be read`);
  const lines = text.split("\n").filter((line) => /^\s*permit\b/.test(line));
  return known(
    lines.filter((line) => {
      const words = line
        .replace(/\{[^}]*\}/g, "")
        .trim()
        .split(/\s+/)
        .slice(1);
      const who =
        words.find((word) => !["nopass", "nolog", "persist", "keepenv", "setenv"].includes(word)) ?? "";
      if (words[words.indexOf("as") + 1] === account.name && words.includes("as")) return false;
      return who.startsWith(":")
        ? account.groups.includes(who.slice(1))
        : who === account.name || who === String(account.uid);
    }),
  );
}

const POLKIT_RULES = ["/etc/polkit-1/rules.d", "/run/polkit-1/rules.d", "/usr/local/share/polkit-1/rules.d"];
const POLKIT_AUTHORITIES = ["/etc/polkit-1/localauthority", "/var/lib/polkit-1/localauthority"];

/**
 * Returns the administrator's polkit rules that say yes to the account, or to somebody who cannot be told. What
 * packages bring in /usr/share is the distribution's.
 */
export function polkitRules(tree: Tree, account: Account): Fact<readonly PolkitRule[]> {
  const rules = POLKIT_RULES.flatMap((folder) => filesIn(tree, folder, ".rules"));
  const authorities = POLKIT_AUTHORITIES.flatMap((folder) =>
    tree.names(folder).flatMap((name) => filesIn(tree, `${folder}/${name}`, ".pkla")),
  );
  const found = [...rules, ...authorities].flatMap((file) => polkitRule(tree, account, file) ?? []);
  return known(found);
}

function filesIn(tree: Tree, folder: string, ending: string): string[] {
  return tree.names(folder).flatMap((name) => (name.endsWith(ending) ? [`${folder}/${name}`] : []));
}

/** A rule is a program: names of the account in it say that it is meant; a yes to nobody by name says nothing. */
function polkitRule(tree: Tree, account: Account, file: string): PolkitRule | undefined {
  const text = tree.text(file)?.replaceAll(/\/\*[\s\S]*?\*\/|^\s*(\/\/|#).*$/gm, "");
  if (text === undefined) return { file, sure: false };
  if (!/Result\.YES|["']yes["']|=\s*yes\b/i.test(text)) return undefined;
  const named = [...text.matchAll(/["']([A-Za-z0-9_.@-]+)["']|unix-(?:user|group):([^\s;]+)/g)].map(
    ([, quoted, word]) => quoted ?? word ?? "",
  );
  const mine = new Set([account.name, ...account.groups, "*"]);
  if (named.some((word) => mine.has(word))) return { file, sure: true };
  const restricted = /isInGroup|subject\.user|unix-(user|group):/.test(text);
  return restricted ? undefined : { file, sure: false };
}
