/** Layer 1, who may log in and how: judged on what sshd says it does for each user and address. */
import { type Check, type Outcome, fail, given, notApplicable, pass, passUnless, unknown } from "../check.ts";
import type { SshContext } from "../fact/ssh.ts";
import { parseSshdFile } from "../read/sshd.ts";
import { countOf, distinct, inEveryContext, valueOf, valuesOf, whoFrom } from "./ssh-option.ts";

const LOOKS = "sshd -T -C, for every login user and address that a Match block could tell apart";
const DROP_IN = "/etc/ssh/sshd_config.d/00-seawall.conf";
const inDropIn = (line: string): string =>
  `add \`${line}\` to ${DROP_IN} (the first value wins, so it must sort first), then: sshd -t && systemctl reload ssh`;

export const SSH_LOGIN_CHECKS: readonly Check[] = [
  {
    id: "SSH-001",
    layer: "ssh",
    severity: "high",
    title: "Root cannot log in over SSH",
    why: "whoever gets in as root owns the whole server at once, and every bot on the internet tries that name",
    fix: `prove another sudo user with a key first, then ${inDropIn("PermitRootLogin no")}`,
    looksAt: LOOKS,
    judge: (facts) =>
      given(facts.ssh, (ssh) => {
        const value = (context: SshContext) => valueOf(context, "permitrootlogin") ?? "";
        const open = ssh.contexts.filter(
          (context) => !["no", "forced-commands-only"].includes(value(context)),
        );
        const evidence = open.map((context) => `permitrootlogin ${value(context)} ${whoFrom(context)}`);
        if (open.length === 0)
          return pass(`permitrootlogin ${distinct(ssh, "permitrootlogin")} in ${countOf(ssh)}`);
        const keysOnly = open.every((context) =>
          /^(without-password|prohibit-password)$/.test(value(context)),
        );
        return fail(evidence, keysOnly ? { severity: "low" } : {});
      }),
  },
  {
    id: "SSH-002",
    layer: "ssh",
    severity: "critical",
    title: "Passwords are refused, in every context",
    why: "a password can be guessed from anywhere; a key cannot",
    fix: inDropIn("PasswordAuthentication no"),
    looksAt: LOOKS,
    judge: (facts) => inEveryContext(facts, "passwordauthentication", (value) => value === "no"),
  },
  {
    id: "SSH-003",
    layer: "ssh",
    severity: "high",
    title: "Keyboard-interactive login is off",
    why: "with PAM it asks for the same password by another door",
    fix: inDropIn("KbdInteractiveAuthentication no"),
    looksAt: LOOKS,
    judge: (facts) =>
      inEveryContext(
        facts,
        "kbdinteractiveauthentication",
        (value, context) => value === "no" || alwaysWantsKey(context),
      ),
  },
  {
    id: "SSH-004",
    layer: "ssh",
    severity: "critical",
    title: "Keys are accepted",
    why: "without keys the only way in is a password",
    fix: inDropIn("PubkeyAuthentication yes"),
    looksAt: LOOKS,
    judge: (facts) => inEveryContext(facts, "pubkeyauthentication", (value) => value === "yes"),
  },
  {
    id: "SSH-005",
    layer: "ssh",
    severity: "critical",
    title: "Empty passwords are refused",
    why: "an account without a password would be open to everybody",
    fix: inDropIn("PermitEmptyPasswords no"),
    looksAt: LOOKS,
    judge: (facts) => inEveryContext(facts, "permitemptypasswords", (value) => value === "no"),
  },
  {
    id: "SSH-006",
    layer: "ssh",
    severity: "medium",
    title: "At most three attempts a connection",
    why: "every attempt more is a guess more before the connection is cut",
    fix: inDropIn("MaxAuthTries 3"),
    looksAt: LOOKS,
    judge: (facts) => {
      const outcome = inEveryContext(facts, "maxauthtries", (value) => Number(value) <= 3);
      if (outcome.status !== "fail") return outcome;
      const mild = inEveryContext(facts, "maxauthtries", (value) => Number(value) <= 4).status === "pass";
      return mild ? fail(outcome.evidence, { severity: "low" }) : outcome;
    },
  },
  {
    id: "SSH-017",
    layer: "ssh",
    severity: "high",
    title: "No Match block weakens the login for somebody",
    why: "a Match block can open for one user or address what the rest of the file closes",
    fix: "edit or remove the Match block that is named, then: sshd -t && systemctl reload ssh",
    looksAt: LOOKS,
    judge: (facts) =>
      given(facts.ssh, (ssh) => {
        const [base, ...others] = ssh.contexts;
        if (base === undefined) return unknown("sshd told of no context", "sudo seawall audit --layer ssh");
        const blocks = ssh.files.flatMap((file) =>
          parseSshdFile(file.text)
            .filter(({ keyword }) => keyword === "match")
            .map(({ line, value }) => `Match ${value} (${file.path}:${line})`),
        );
        const weaker = others.flatMap((context) => weakerThan(base, context));
        if (weaker.length > 0) return fail([...weaker, ...blocks]);
        return pass(
          blocks.length === 0 ? "there is no Match block" : `no weaker login through: ${blocks.join(", ")}`,
        );
      }),
  },
  {
    id: "SSH-020",
    layer: "ssh",
    severity: "critical",
    title: "A user who may become root has a key that works",
    why: "without one, refusing passwords and root locks you out for good",
    fix: "ssh-copy-id YOU@this-server, then log in with the key once before you close anything",
    looksAt:
      "AuthorizedKeysFile of each user as sshd expands it, its keys, StrictModes, shell, expiry and sudo",
    judge: (facts) =>
      given(facts.ssh, (ssh) => {
        const rooted = ssh.users.filter((user) => user.sudo || user.uid === 0);
        const able = rooted.filter((user) => user.barred === null && user.keys.length > 0);
        const usable = able.filter((user) => user.uid !== 0 || rootMayUseKeys(ssh.contexts));
        const refused = rooted.flatMap((user) => user.refused);
        if (usable.length > 0)
          return pass(
            ...usable.map(({ name, keys }) => `${name} has ${keys.length} key(s): ${keys[0]?.file ?? ""}`),
          );
        return fail(["no user who may become root has a key that sshd accepts", ...refused]);
      }),
  },
  {
    id: "SSH-021",
    layer: "ssh",
    severity: "low",
    title: "Only named users or groups may log in",
    why: "an account that some package or script adds can otherwise be logged in to",
    fix: "add `AllowGroups ssh-users` with yourself in that group (the values accumulate: check `sshd -T` before you reload)",
    looksAt: LOOKS,
    judge: (facts) =>
      given(facts.ssh, (ssh) => {
        const open = ssh.contexts.filter(
          (context) => !isSet(context, "allowusers") && !isSet(context, "allowgroups"),
        );
        return passUnless(
          open.map((context) => `neither AllowUsers nor AllowGroups ${whoFrom(context)}`),
          `allowusers ${distinct(ssh, "allowusers")}; allowgroups ${distinct(ssh, "allowgroups")}`,
        );
      }),
  },
  {
    id: "SSH-023",
    layer: "ssh",
    severity: "critical",
    title: "No security update of OpenSSH is waiting",
    why: "a hole in sshd (regreSSHion was one) is open to everybody who reaches the port",
    fix: "apt-get update && apt-get install --only-upgrade openssh-server",
    looksAt: "apt list --upgradable: what waits in a security archive",
    judge: (facts) => {
      if (facts.ssh.kind === "absent") return notApplicable(facts.ssh.why);
      return given(facts.updates, (updates) => given(updates.pending, (pending) => opensshPending(pending)));
    },
  },
];

function opensshPending(
  pending: readonly { readonly name: string; readonly to: string; readonly security: boolean }[],
): Outcome {
  const waiting = pending.filter(({ name, security }) => security && name.startsWith("openssh"));
  return passUnless(
    waiting.map(({ name, to }) => `${name} ${to} waits`),
    "apt has no newer OpenSSH from a security archive",
  );
}

function isSet(context: SshContext, option: string): boolean {
  return valuesOf(context, option).some((value) => value !== "" && value !== "none");
}

/** `AuthenticationMethods publickey,...` in every list means that a key is always needed. */
function alwaysWantsKey(context: SshContext): boolean {
  const methods = (valueOf(context, "authenticationmethods") ?? "any").split(" ");
  return methods.every((list) => list.split(",").includes("publickey"));
}

function rootMayUseKeys(contexts: readonly SshContext[]): boolean {
  return contexts.some(
    (context) => !["no", "forced-commands-only"].includes(valueOf(context, "permitrootlogin") ?? "no"),
  );
}

/** Options in which a context may not be laxer than the base, with their values from strict to lax. */
const STRICT_TO_LAX: readonly (readonly [string, readonly string[]])[] = [
  ["passwordauthentication", ["no", "yes"]],
  ["kbdinteractiveauthentication", ["no", "yes"]],
  ["permitemptypasswords", ["no", "yes"]],
  ["permitrootlogin", ["no", "forced-commands-only", "without-password", "prohibit-password", "yes"]],
  ["allowagentforwarding", ["no", "yes"]],
  ["permittunnel", ["no", "point-to-point", "ethernet", "yes"]],
  ["gatewayports", ["no", "clientspecified", "yes"]],
];

function weakerThan(base: SshContext, context: SshContext): string[] {
  return STRICT_TO_LAX.flatMap(([option, order]) => {
    const [from, to] = [valueOf(base, option) ?? "", valueOf(context, option) ?? ""];
    if (order.indexOf(to) <= order.indexOf(from)) return [];
    return [`${option} is ${to} ${whoFrom(context)}, but ${from} ${whoFrom(base)}`];
  });
}
