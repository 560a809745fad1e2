/** What mends accounts, without taking the last way to root from those who administer this host. */
import { shellWord } from "../../base/shell-word.ts";
import type { Facts } from "../fact/facts.ts";
import { valueOr } from "../reading.ts";
import { type Step, fixText, run, say } from "./fix.ts";
import { loginLine, wayInOf } from "./way-in.ts";

/** HOST-003: a password is set, not locked away; a second root is left to a person. */
export function fixAccounts(facts: Facts): string {
  const accounts = valueOr(facts.accounts, []);
  const empty = accounts.filter(({ password }) => password === "empty").map(({ name }) => name);
  const roots = accounts.filter(({ uid, name }) => uid === 0 && name !== "root").map(({ name }) => name);
  return fixText([
    ...empty.map((name) => say(`${name} gets a password (it is asked for): passwd ${shellWord(name)}`)),
    ...roots.map((name) =>
      say(
        `${name} is root under another name. If nobody logs in by it, take its line out with vipw and vipw -s; first log in as somebody else who may become root: ${loginLine(facts)}`,
      ),
    ),
    ...(empty.length + roots.length === 0 ? [say("passwd NAME, for each account that is named")] : []),
  ]);
}

/** Groups that are as good as root. The first three are how people administer a host. */
const ADMINISTRATION = ["sudo", "wheel", "admin"];
const OTHERS = ["docker", "lxd", "incus-admin", "libvirt", "disk", "shadow", "root"];

/** APP-008 */
export function fixAgentUser(facts: Facts): string {
  const instances = facts.openclaw.kind === "read" ? facts.openclaw.value.instances : [];
  const asRoot = instances.some(({ process }) => process.kind === "read" && process.value.uid === 0);
  const users = instances.flatMap(({ user, uid, process }) =>
    process.kind === "read" && uid !== 0 ? [{ user, groups: process.value.groups }] : [],
  );
  return fixText([
    ...(asRoot
      ? [
          say(
            "The gateway runs as root. Give it a user of its own, move its state there (chown it too), and run it as that user:",
          ),
          run(
            "id openclaw >/dev/null 2>&1 || useradd --system --create-home --shell /usr/sbin/nologin openclaw",
          ),
        ]
      : []),
    ...users.flatMap(({ user, groups }) => outOf(facts, user, groups)),
  ]);
}

function outOf(facts: Facts, user: string, groups: readonly string[]): Step[] {
  const word = shellWord(user);
  const harmless = OTHERS.filter((group) => groups.includes(group)).map((group) =>
    run(`gpasswd -d ${word} ${group}`),
  );
  const own = ADMINISTRATION.filter((group) => groups.includes(group));
  if (own.length === 0)
    return harmless.length > 0
      ? [say(`${user}: out of the groups that are as good as root.`), ...harmless]
      : [
          say(
            `${user}: take its lines that end in ALL out of sudoers (visudo), once somebody else may become root.`,
          ),
        ];
  const successor = wayInOf(facts).keyHolders.find(({ name }) => name !== user);
  if (successor === undefined)
    return [
      say(
        `${user} is the only account that gets in and may become root, so it keeps its sudo for now. Make an administrator first (adduser YOU && usermod -aG sudo YOU, then your key), log in as that, and look again; or give the agent a user of its own.`,
      ),
      ...harmless,
    ];
  return [
    say(
      `${successor.name} gets in with a key and may become root. Log in as ${successor.name} first: ${loginLine(facts, { user: successor.name })} sudo true`,
    ),
    ...own.map((group) => run(`gpasswd -d ${word} ${group}`)),
    ...harmless,
  ];
}
