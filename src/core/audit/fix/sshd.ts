/** What mends sshd: nothing that shuts a way in is printed before a key is proven that opens another. */
import { reachOfPort } from "../check/world.ts";
import type { Facts } from "../fact/facts.ts";
import type { SshContext, SshFacts, SshUser } from "../fact/ssh.ts";
import { parseSshdFile } from "../read/sshd.ts";
import { shellWord } from "../../base/shell-word.ts";
import { type Step, fixText, run, say } from "./fix.ts";
import {
  loadCommand,
  reloadSshd,
  type Setting,
  setGlobally,
  setInBlocks,
  setInMatch,
} from "./sshd-change.ts";
import { letSshIn } from "./ufw.ts";
import {
  configuredPorts,
  keyHolders,
  loginLine,
  ownAddress,
  portsText,
  secondLogin,
  wayInOf,
} from "./way-in.ts";

const UNSEEN =
  "sshd could not be asked, so nothing is printed that changes it: sudo seawall audit --layer ssh";

function onSsh(facts: Facts, steps: (ssh: SshFacts) => readonly Step[]): string {
  return facts.ssh.kind === "read" ? fixText(steps(facts.ssh.value)) : UNSEEN;
}

/** What must be so before a setting is changed. */
type Proof = "key" | "key of a user" | "key or password" | "nothing";

interface Change {
  readonly settings: readonly Setting[];
  readonly proof: Proof;
  /** Which values of these settings are wrong, as `sshd -T` and the files say them. */
  readonly wrong?: (value: string, keyword: string) => boolean;
  readonly first?: readonly string[];
}

/** Returns how settings of sshd are changed on this host, or what has to come before. */
export function fixSetting(facts: Facts, { settings, proof, wrong, first = [] }: Change): string {
  return onSsh(facts, (ssh) => {
    const missing = missingProof(facts, ssh, proof);
    if (missing !== null) return missing;
    const isWrong =
      wrong ??
      ((value, keyword) =>
        settings.some((one) => one.keyword.toLowerCase() === keyword && one.value !== value));
    const globals = settings.filter(({ keyword }) => isWrongOutside(ssh, keyword.toLowerCase(), isWrong));
    return [
      ...provenBy(facts, ssh, proof),
      ...first.map(say),
      ...(globals.length > 0 ? setGlobally(ssh, globals) : []),
      ...settings.flatMap((one) =>
        setInBlocks(ssh, one, (value) => isWrong(value, one.keyword.toLowerCase())),
      ),
      ...reloadSshd(facts, ssh),
    ];
  });
}

/** Whether somebody whom no Match block of this keyword names gets the wrong value. */
function isWrongOutside(
  ssh: SshFacts,
  keyword: string,
  isWrong: (value: string, keyword: string) => boolean,
): boolean {
  const wrong = ssh.contexts.filter((context) => isWrong(valueIn(context, keyword), keyword));
  const [base] = ssh.contexts;
  return (
    (base !== undefined && wrong.includes(base)) ||
    (wrong.length > 0 && setInMatch(ssh, [keyword]).length === 0)
  );
}

function valueIn(context: SshContext, keyword: string): string {
  return context.options.get(keyword)?.[0] ?? "";
}

/** Returns what has to be done first, or null when the way that stays open is proven. */
function missingProof(facts: Facts, ssh: SshFacts, proof: Proof): Step[] | null {
  const holders = keyHolders(ssh);
  switch (proof) {
    case "nothing":
      return null;
    case "key":
      return holders.length > 0 ? null : keyFirst(facts, ssh);
    case "key of a user":
      return holders.some(({ uid }) => uid !== 0) ? null : userFirst(facts, ssh);
    case "key or password":
      return holders.length > 0 || hasPassword(facts, ssh) ? null : keyFirst(facts, ssh);
  }
}

function hasPassword(facts: Facts, ssh: SshFacts): boolean {
  if (facts.accounts.kind !== "read" || !passwordsAreTaken(ssh)) return false;
  const withPassword = new Set(
    facts.accounts.value.filter(({ password }) => password === "set").map(({ name }) => name),
  );
  const rootMay = ssh.contexts.every((context) => valueIn(context, "permitrootlogin") === "yes");
  return ssh.users.some(
    ({ name, uid, sudo, barred }) =>
      (uid === 0 ? rootMay : sudo) && barred === null && withPassword.has(name),
  );
}

function passwordsAreTaken({ contexts }: SshFacts): boolean {
  return contexts.some((context) => valueIn(context, "passwordauthentication") === "yes");
}

function provenBy(facts: Facts, ssh: SshFacts, proof: Proof): Step[] {
  if (proof === "nothing" || proof === "key or password") return [];
  const holders = wayInOf(facts).keyHolders.filter(({ uid }) => proof === "key" || uid !== 0);
  const [holder] = holders;
  if (holder === undefined) return [];
  const others = ssh.users.filter(
    ({ sudo, barred, name }) => sudo && barred === null && !holders.some((one) => one.name === name),
  );
  return [
    say(
      `A key that works: ${holders.map(({ name, keys }) => `${name} (${keys[0]?.file ?? ""})`).join(", ")}. Is it yours? Try it before you paste, from your own computer:`,
    ),
    say(`  ${keyOnly(loginLine(facts, { user: holder.name }))}${holder.uid === 0 ? "" : " sudo true"}`),
    ...(others.length > 0
      ? [say(`Without a key, and out by this: ${others.map(({ name }) => name).join(", ")}.`)]
      : []),
  ];
}

function keyOnly(login: string): string {
  return login.replace("ssh -t", "ssh -t -o PasswordAuthentication=no -o KbdInteractiveAuthentication=no");
}

/** SSH-020, and whatever waits for it. */
export function keyFirst(facts: Facts, ssh: SshFacts): Step[] {
  const [account] = candidates(facts, ssh);
  const refused = ssh.users.flatMap(({ refused: lines }) => lines).slice(0, 3);
  const login = loginLine(facts, { user: account?.name ?? "YOU" });
  const target = login.replace("ssh -t ", "");
  return [
    say(
      "SSH-020 first: no account that may become root has a key that sshd accepts, and without one this would lock you out.",
    ),
    ...refused.map((line) => say(`Seen: ${line}`)),
    ...(account === undefined ? newAdministrator() : []),
    ...(passwordsAreTaken(ssh)
      ? [
          say("On your own computer (ssh-keygen makes a key if you have none):"),
          say(`  ssh-copy-id ${target}`),
        ]
      : [
          say(
            `No password is taken either, so put the line of your public key (~/.ssh/id_ed25519.pub of your own computer) at the end of ${account === undefined ? "its" : `${account.name}'s`} ~/.ssh/authorized_keys on this server; the folder 0700, the file 0600, both of that account.`,
          ),
        ]),
    say("Then try it, from your own computer, and only then go on:"),
    say(`  ${keyOnly(login)}${account?.uid === 0 ? "" : " sudo true"}`),
    say("Then look again: seawall audit --layer ssh"),
  ];
}

/** Who may have the first key: the caller, another user who may become root, root where it may log in. */
function candidates(facts: Facts, ssh: SshFacts): SshUser[] {
  const rank = ({ name, uid }: SshUser): number => (name === facts.operator.user ? 0 : uid === 0 ? 2 : 1);
  const rootMay = ssh.contexts.every(
    (context) => !["no", "forced-commands-only"].includes(valueIn(context, "permitrootlogin")),
  );
  return ssh.users
    .filter(({ barred, sudo, uid }) => barred === null && (uid === 0 ? rootMay : sudo))
    .toSorted((left, right) => rank(left) - rank(right));
}

function newAdministrator(): Step[] {
  return [
    say("No account but root may become root. As root, make one with a name of your choice:"),
    say("  adduser YOU && usermod -aG sudo YOU"),
  ];
}

/** Root is shut out only when somebody else may become root with a key. */
function userFirst(facts: Facts, ssh: SshFacts): Step[] {
  const user = candidates(facts, ssh).find(({ uid }) => uid !== 0);
  const login = loginLine(facts, { user: user?.name ?? "YOU" });
  return [
    say(
      "First another account: only root itself has a key that works, and with root shut out nobody is left.",
    ),
    ...(user === undefined ? newAdministrator() : []),
    say(
      `Give ${user?.name ?? "it"} a password (passwd ${user?.name ?? "YOU"}), which sudo asks for, and your key:`,
    ),
    say(
      `  ${passwordsAreTaken(ssh) ? `ssh-copy-id ${login.replace("ssh -t ", "")}` : `install -d -m 700 -o ${user?.name ?? "YOU"} ~${user?.name ?? "YOU"}/.ssh, and your public key into authorized_keys there`}`,
    ),
    say("Then try it, from your own computer, and only then go on:"),
    say(`  ${keyOnly(login)} sudo true`),
    say("Then look again: seawall audit --layer ssh"),
  ];
}

/** SSH-020 */
export function fixNoKey(facts: Facts): string {
  return onSsh(facts, (ssh) => keyFirst(facts, ssh));
}

/** SSH-021: everybody who gets in by a key goes into the group before it is asked for. */
export function fixEverybodyMayLogIn(facts: Facts): string {
  return onSsh(facts, (ssh) => {
    const holders = wayInOf(facts).keyHolders;
    if (holders.length === 0) return keyFirst(facts, ssh);
    const others = ssh.users.filter(
      ({ name, barred, uid }) => barred === null && uid !== 0 && !holders.some((one) => one.name === name),
    );
    return [
      say("Into the group first: who has a key and may become root."),
      run("groupadd -f ssh-users"),
      ...holders.map(({ name }) => run(`usermod -aG ssh-users ${shellWord(name)}`)),
      ...(others.length > 0
        ? [
            say(
              `Out by this unless you add them as well (usermod -aG ssh-users NAME): ${others.map(({ name }) => name).join(", ")}.`,
            ),
          ]
        : []),
      ...setGlobally(ssh, [{ keyword: "AllowGroups", value: "ssh-users" }]),
      ...reloadSshd(facts, ssh),
    ];
  });
}

/** Settings that shut a way in or move the door, so that a file which nobody read before may lock out once it is read. */
const SHUTTING = new Set([
  "port",
  "listenaddress",
  "addressfamily",
  "allowusers",
  "allowgroups",
  "denyusers",
  "denygroups",
  "permitrootlogin",
  "passwordauthentication",
  "kbdinteractiveauthentication",
  "challengeresponseauthentication",
  "pubkeyauthentication",
  "authenticationmethods",
  "authorizedkeysfile",
  "usepam",
  "match",
  "include",
]);

/** SSH-016: a drop-in that is read at last does what it says, so what it says is looked at first. */
export function fixDropIns(facts: Facts): string {
  return onSsh(facts, (ssh) => {
    const seen = new Set(ssh.files.map(({ path }) => path));
    const ignored = ssh.dropIns.filter((path) => !seen.has(path));
    const texts = new Map(ssh.unread.map(({ path, text }) => [path, text]));
    if (ignored.length === 0)
      return [
        say(
          "A value above it wins. What the evidence names would take effect once it stands first: for passwords and root see SSH-002 and SSH-001, which print it with what has to come before; delete the line otherwise.",
        ),
      ];
    const shutting = ignored.flatMap((path) =>
      parseSshdFile(texts.get(path) ?? "").flatMap(({ keyword, line, value }) =>
        SHUTTING.has(keyword) ? [`${keyword} ${value} (${path}:${line})`] : [],
      ),
    );
    const unread = ignored.filter((path) => !texts.has(path));
    if (shutting.length + unread.length > 0)
      return [
        say(
          "Read at last, these files do what they say, and that may shut you out. Nothing to paste: read them, and take out what you do not want:",
        ),
        ...[...shutting, ...unread].map((line) => say(`  ${line}`)),
        say(
          "Then, with a key that is proven (SSH-020) and every new port let in by the firewall, put on the first line of /etc/ssh/sshd_config: Include /etc/ssh/sshd_config.d/*.conf",
        ),
      ];
    return [
      say("Nothing in them shuts a way in."),
      run("sed -i '1i Include /etc/ssh/sshd_config.d/*.conf' /etc/ssh/sshd_config"),
      ...reloadSshd(facts, ssh),
    ];
  });
}

/** SSH-015 */
export function fixConfigOwners(facts: Facts): string {
  return onSsh(facts, (ssh) => [
    say("What sshd reads is root's alone:"),
    ...ssh.files
      .filter((file) => (file.mode & 0o022) !== 0 || file.uid !== 0 || file.gid !== 0)
      .flatMap(({ path }) => [
        run(`chown root:root ${shellWord(path)}`),
        run(`chmod go-w ${shellWord(path)}`),
      ]),
  ]);
}

/** SSH-017 */
export function fixMatch(facts: Facts): string {
  return onSsh(facts, (ssh) => {
    const lines = setInMatch(ssh, [
      "passwordauthentication",
      "kbdinteractiveauthentication",
      "permitemptypasswords",
      "permitrootlogin",
      "allowagentforwarding",
      "permittunnel",
      "gatewayports",
    ]);
    return [
      say("Edit the lines that are named, with this session open:"),
      ...lines.map(({ block, file, line, keyword, value }) =>
        say(`  ${file}:${line}: ${keyword} ${value}, in ${block}`),
      ),
      say("Passwords: SSH-002 prints the commands for them, after SSH-020 (a key that works)."),
      ...reloadSshd(facts, ssh).filter((step) => !("run" in step)),
    ];
  });
}

/** SSH-018 and SSH-024: sshd takes up what its files say; the firewall lets the new ports in before. */
export function fixReload(facts: Facts): string {
  return onSsh(facts, (ssh) => {
    const holders = keyHolders(ssh);
    if (holders.length === 0 && !hasPassword(facts, ssh))
      return [
        say(
          "Not yet: with what the files say now nobody who may become root gets in any more, with a key or a password.",
        ),
        ...keyFirst(facts, ssh),
      ];
    const ports = configuredPorts(ssh);
    const doors = doorsFor(facts, ports);
    if (doors === null)
      return [
        say(
          `Not yet: the files say port ${portsText(ports)}, and the firewall refuses it. Let it in there first (FW-007 names the chain), then look again.`,
        ),
      ];
    const restart = ssh.socketActivated
      ? "systemctl daemon-reload && systemctl restart ssh.socket"
      : loadCommand(ssh);
    return [
      say(`sshd takes up what its files say, port ${portsText(ports)}. Sessions that are open stay open.`),
      ...doors,
      run(
        `sshd -t${ssh.files[0]?.path === "/etc/ssh/sshd_config" ? "" : ` -f ${ssh.files[0]?.path ?? ""}`}${restart === null ? "" : ` && ${restart}`}`,
      ),
      ...secondLogin(facts, { port: ports[0] ?? 22 }),
    ];
  });
}

/** The commands that let ports in, none where they are in already; null where this cannot be done by a command. */
function doorsFor(facts: Facts, ports: readonly number[]): Step[] | null {
  if (facts.firewall.kind !== "read" || facts.firewall.value.tables.kind !== "read") return null;
  const firewall = facts.firewall.value;
  const { value: tables } = facts.firewall.value.tables;
  if (firewall.ufw.kind === "read" && (firewall.ufw.value.inKernel4 || firewall.ufw.value.enabledInFile))
    return letSshIn(facts, firewall.ufw.value, ports);
  return ports.every((port) => reachOfPort(firewall, tables, "tcp", port).reach === "open") ? [] : null;
}

/** SSH-019: the old port goes after a login by the new one. */
export function fixTwoPorts(facts: Facts): string {
  return onSsh(facts, (ssh) => {
    const lines = ssh.files.flatMap((file) =>
      parseSshdFile(file.text).flatMap(({ keyword, line, value }) =>
        keyword === "port" ? [`Port ${value}: ${file.path}:${line}`] : [],
      ),
    );
    const used = [...new Set(facts.operator.sessions.map(({ port }) => port))];
    return [
      say("Choose the port that stays, let it in by the firewall, and log in by it, from your own computer:"),
      ...configuredPorts(ssh).map((port) => say(`  ${loginLine(facts, { port })}`)),
      ...(used.length > 0 ? [say(`You came in by ${portsText(used)}.`)] : []),
      say("From that new session take the other line out, then test and reload:"),
      ...lines.map((line) => say(`  ${line}`)),
      say(`  sshd -t && ${loadCommand(ssh) ?? "start sshd anew"}`),
      say(`Fail2Ban and the firewall know the old number too (F2B-005, FW-007) at ${ownAddress(facts)}.`),
    ];
  });
}
