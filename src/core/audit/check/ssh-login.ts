/** Layer 1, who may log in and how: judged on what sshd says it does for each user and address. */
import { type Check, type Outcome, fail, given, notApplicable, pass, passUnless, unknown } from "../check.ts";
import type { SshContext } from "../fact/ssh.ts";
import { byEvidence, forUsers, withNumbers } from "../failure.ts";
import { fixEverybodyMayLogIn, fixMatch, fixNoKey, fixSetting } from "../fix/sshd.ts";
import { keyHolders } from "../fix/way-in.ts";
import { parseSshdFile } from "../read/sshd.ts";
import { countOf, distinct, inEveryContext, valueOf, valuesOf, whoFrom } from "./ssh-option.ts";

const LOOKS = "sshd -T -C, for every login user and address that a Match block could tell apart";

export const SSH_LOGIN_CHECKS: readonly Check[] = [
  {
    id: "SSH-001",
    layer: "ssh",
    severity: "high",
    title: "Root cannot log in over SSH",
    fails: byEvidence(
      "Root may log in over SSH",
      [/permitrootlogin yes/, "Root may log in over SSH, with a password too"],
      [/-password/, "Root may log in over SSH, with a key"],
    ),
    why: "whoever gets in as root owns the whole server at once, and every bot on the internet tries that name",
    fix: "once another account with sudo has a key that works: `PermitRootLogin no` in sshd_config, above every other value of it",
    remedy: (facts) =>
      fixSetting(facts, {
        settings: [{ keyword: "PermitRootLogin", value: "no" }],
        proof: "key of a user",
        wrong: (value) => !["no", "forced-commands-only"].includes(value),
      }),
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
    fails: forUsers("SSH accepts passwords"),
    why: "a password can be guessed from anywhere; a key cannot",
    fix: "once a key is proven (SSH-020): `PasswordAuthentication no` in sshd_config, above every other value of it",
    remedy: (facts) =>
      fixSetting(facts, { settings: [{ keyword: "PasswordAuthentication", value: "no" }], proof: "key" }),
    looksAt: LOOKS,
    judge: (facts) => inEveryContext(facts, "passwordauthentication", (value) => value === "no"),
  },
  {
    id: "SSH-003",
    layer: "ssh",
    severity: "high",
    title: "Keyboard-interactive login is off",
    fails: forUsers("SSH asks for passwords by keyboard-interactive login"),
    why: "with PAM it asks for the same password by another door",
    fix: "once a key is proven (SSH-020): `KbdInteractiveAuthentication no` in sshd_config, above every other value of it",
    remedy: (facts) =>
      fixSetting(facts, {
        settings: [{ keyword: "KbdInteractiveAuthentication", value: "no" }],
        proof: "key",
      }),
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
    fails: forUsers("SSH refuses keys"),
    why: "without keys the only way in is a password",
    fix: "`PubkeyAuthentication yes` in sshd_config, above every other value of it",
    remedy: (facts) =>
      fixSetting(facts, { settings: [{ keyword: "PubkeyAuthentication", value: "yes" }], proof: "nothing" }),
    looksAt: LOOKS,
    judge: (facts) => inEveryContext(facts, "pubkeyauthentication", (value) => value === "yes"),
  },
  {
    id: "SSH-005",
    layer: "ssh",
    severity: "critical",
    title: "Empty passwords are refused",
    fails: forUsers("SSH accepts empty passwords"),
    why: "an account without a password would be open to everybody",
    fix: "once another way in is proven: `PermitEmptyPasswords no` in sshd_config, above every other value of it",
    remedy: (facts) =>
      fixSetting(facts, {
        settings: [{ keyword: "PermitEmptyPasswords", value: "no" }],
        proof: "key or password",
      }),
    looksAt: LOOKS,
    judge: (facts) => inEveryContext(facts, "permitemptypasswords", (value) => value === "no"),
  },
  {
    id: "SSH-006",
    layer: "ssh",
    severity: "medium",
    title: "At most three attempts a connection",
    fails: withNumbers("More than three attempts a connection", /maxauthtries (\d+)/),
    why: "every attempt more is a guess more before the connection is cut",
    fix: "`MaxAuthTries 3` in sshd_config, above every other value of it",
    remedy: (facts) =>
      fixSetting(facts, {
        settings: [{ keyword: "MaxAuthTries", value: "3" }],
        proof: "nothing",
        wrong: (value) => Number(value) > 3,
        first: [
          "Each key of your agent is an attempt: with more than two, add IdentitiesOnly yes and an IdentityFile to ~/.ssh/config of your own computer first.",
        ],
      }),
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
    fails: forUsers("A Match block weakens the login"),
    why: "a Match block can open for one user or address what the rest of the file closes",
    fix: "edit the Match block that is named, with a session open, then try a second login",
    remedy: fixMatch,
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
    fails: "Nobody who may become root has a key that works",
    why: "without one, refusing passwords and root locks you out for good",
    fix: "put a key into authorized_keys of an account with sudo, then log in with it once before you close anything",
    remedy: fixNoKey,
    looksAt:
      "AuthorizedKeysFile of each user as sshd expands it, its keys, StrictModes, shell, expiry and sudo",
    judge: (facts) =>
      given(facts.ssh, (ssh) => {
        const usable = keyHolders(ssh);
        const refused = ssh.users.flatMap((user) => user.refused);
        if (usable.length > 0)
          return pass(
            ...usable.map(({ name, keys }) => `${name} has ${keys.length} key(s): ${keys[0]?.file ?? ""}`),
          );
        const elsewhere = keysElsewhere(ssh.contexts);
        if (elsewhere.length > 0)
          return unknown(
            `sshd also asks ${elsewhere.join(" and ")} for keys, which the audit does not`,
            "log in with your key in a second session, while this one is open",
            refused,
          );
        return fail(["no user who may become root has a key that sshd accepts", ...refused]);
      }),
  },
  {
    id: "SSH-021",
    layer: "ssh",
    severity: "low",
    title: "Only named users or groups may log in",
    fails: "Every account may log in over SSH",
    why: "an account that some package or script adds can otherwise be logged in to",
    fix: "put everybody who logs in into a group, then `AllowGroups` with it; once a key is proven (SSH-020)",
    remedy: fixEverybodyMayLogIn,
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
    fails: "A security update of OpenSSH is waiting",
    why: "a hole in sshd (regreSSHion was one) is open to everybody who reaches the port",
    fix: "sshd -t && apt-get update && apt-get install --only-upgrade openssh-server (a configuration with a mistake would keep the new sshd from starting)",
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

/** Places where sshd finds keys beside the files: a program, an authority. */
function keysElsewhere(contexts: readonly SshContext[]): string[] {
  const found = ["authorizedkeyscommand", "trustedusercakeys"].flatMap((option) =>
    contexts.flatMap((context) => valueOf(context, option) ?? []),
  );
  return [...new Set(found.filter((value) => value !== "none" && value !== ""))];
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
