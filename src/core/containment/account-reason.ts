/** What a user may do, by which its processes become another user. */
import { shellWord } from "../base/shell-word.ts";
import { POWERFUL_GROUPS, READING_GROUPS } from "./baseline.ts";
import type { AccountFacts, Effect, Reason, SudoRight } from "./facts.ts";
import { dedicatedUser } from "./dedicated-user.ts";
import { evidenceOf, judge, userWord } from "./reason.ts";

/** Returns the reasons. `held`: what runs cannot gain rights by a setuid program, which sudo and doas are. */
export function accountReasons(account: AccountFacts, held: boolean): readonly Reason[] {
  const user = userWord(account);
  if (account.uid === 0) return [rootReason(account)];
  const bySetuid: Effect = held ? "partial" : "escapes";
  return [
    ...judge(account.sudo, "sudo", "what sudo lets it do", (rights) =>
      sudoReasons(account, user, rights, bySetuid),
    ),
    ...judge(account.doas, "doas", "what doas lets it do", (lines) =>
      some(lines, {
        id: "doas",
        sentence: `doas lets ${user} run programs as another user`,
        cure: unlessLastAdmin(account, "take its lines out of /etc/doas.conf"),
        effect: bySetuid,
      }),
    ),
    ...judge(account.groups, "groups", "which groups it is in", (groups) =>
      groupReasons(account, user, groups),
    ),
    ...judge(account.sockets, "runtime-socket", "which container runtimes it reaches", (paths) =>
      some(paths, {
        id: "runtime-socket",
        sentence: `${user} can write to the socket of a container runtime and start containers as root`,
        cure: `take its access to the socket away, or use rootless containers of its own`,
        effect: "escapes",
      }),
    ),
    ...polkitReasons(account, user),
    ...fileReasons(account, user),
    ...judge(account.person, "person", "whether a person logs in as it", (signs) =>
      some(signs, {
        id: "person",
        sentence: `a person logs in as ${user}, so the agent has all that is the person's`,
        cure: dedicatedUser(account),
        effect: "partial",
      }),
    ),
  ];
}

/**
 * SECURITY: taking the rights of the only account by which somebody administers this machine would end all
 * administration; the agent moves out instead. What is not known counts as nobody else.
 */
function unlessLastAdmin(account: AccountFacts, cure: string): string {
  const { otherAdmins } = account;
  return otherAdmins.known && otherAdmins.value.length > 0 ? cure : dedicatedUser(account);
}

function rootReason(account: AccountFacts): Reason {
  return {
    id: "root",
    sentence: "it runs as root, which no rule holds",
    evidence: "uid 0",
    cure: dedicatedUser(account),
    effect: "escapes",
  };
}

function some(pieces: readonly string[], reason: Omit<Reason, "evidence">): readonly Reason[] {
  return pieces.length === 0 ? [] : [{ ...reason, evidence: evidenceOf(pieces) }];
}

/** A right that needs a password counts too: a person may have typed it a minute ago, and an agent asks for it. */
function sudoReasons(
  account: AccountFacts,
  user: string,
  rights: readonly SudoRight[],
  effect: Effect,
): readonly Reason[] {
  const free = rights.some((right) => right.free);
  return some(
    rights.map(({ command, as, free: one }) => `(${as}) ${one ? "NOPASSWD: " : ""}${command}`),
    {
      id: "sudo",
      sentence: `sudo lets ${user} run programs as another user${free ? ", without a password" : ""}`,
      cure: unlessLastAdmin(
        account,
        `take its lines out of sudoers (sudo -l -U ${shellWord(user)} shows them, visudo edits them)`,
      ),
      effect,
    },
  );
}

/** Groups by which people administer a machine. */
const ADMIN_GROUPS: ReadonlySet<string> = new Set(["sudo", "wheel", "admin", "root"]);

function leaveGroup(user: string, group: string): string {
  return `gpasswd -d ${shellWord(user)} ${shellWord(group)} (and start the agent anew)`;
}

function groupReasons(account: AccountFacts, user: string, groups: readonly string[]): readonly Reason[] {
  const powerful = groups.flatMap((group) => {
    const what = POWERFUL_GROUPS.get(group);
    return what === undefined ? [] : [{ group, what }];
  });
  const reading = groups.filter((group) => READING_GROUPS.has(group));
  return [
    ...powerful.map(
      ({ group, what }): Reason => ({
        id: "group",
        sentence: `${user} is in group ${group}, which gives ${what}`,
        evidence: `group ${group}`,
        cure: ADMIN_GROUPS.has(group)
          ? unlessLastAdmin(account, leaveGroup(user, group))
          : leaveGroup(user, group),
        effect: "escapes",
      }),
    ),
    ...reading.map(
      (group): Reason => ({
        id: "group-reads",
        sentence: `${user} is in group ${group}, which reads logs that may hold secrets of others`,
        evidence: `group ${group}`,
        cure: leaveGroup(user, group),
        effect: "partial",
      }),
    ),
  ];
}

function polkitReasons(account: AccountFacts, user: string): readonly Reason[] {
  return judge(account.polkit, "polkit", "what polkit lets it do", (rules) => [
    ...some(
      rules.filter(({ sure }) => sure).map(({ file }) => file),
      {
        id: "polkit",
        sentence: `a polkit rule lets ${user} do what is root's to do`,
        cure: "take the user and its groups out of the rule",
        effect: "escapes",
      },
    ),
    ...some(
      rules.filter(({ sure }) => !sure).map(({ file }) => file),
      {
        id: "polkit-unclear",
        sentence: `a polkit rule of this machine says yes to somebody, and whether to ${user} is not clear`,
        cure: "name the users or groups that the rule is for",
        effect: "unknown",
      },
    ),
  ]);
}

function fileReasons(account: AccountFacts, user: string): readonly Reason[] {
  return [
    ...judge(account.rootFiles, "root-file", "which files of root it can change", (files) =>
      some(
        files.map(({ path, what }) => `${path} (${what})`),
        {
          id: "root-file",
          sentence: `${user} can change what root runs or trusts`,
          cure: "chown root and chmod go-w what is listed, with every folder above it",
          effect: "escapes",
        },
      ),
    ),
    ...judge(account.devices, "device", "which disks it can write to", (paths) =>
      some(paths, {
        id: "device",
        sentence: `${user} can write to a disk or to memory`,
        cure: "chmod 660 and chgrp disk what is listed",
        effect: "escapes",
      }),
    ),
    ...judge(account.otherAccounts, "other-account", "whether it can log in as somebody else", (others) =>
      some(
        others.map((other) => `${other.user}: ${other.evidence}`),
        {
          id: "other-account",
          sentence: `${user} can become another user of this machine`,
          cure: "take its key out of the other's authorized_keys, and its write access away",
          effect: "escapes",
        },
      ),
    ),
  ];
}
