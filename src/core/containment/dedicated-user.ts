/** The commands that give OpenClaw a user of its own, made of what is known of this host. */
import { shellWord } from "../base/shell-word.ts";
import type { AccountFacts, Belongings } from "./facts.ts";

/**
 * Returns the five steps, to be typed in this order as root; nothing is deleted and nobody loses a right, so whoever
 * administers the machine still does. Without the unit the last step is said in words.
 */
export function dedicatedUserSteps({ home, unit, newUser }: Belongings, owner: string): readonly string[] {
  const user = shellWord(newUser);
  const from = home.replace(/\/$/, "");
  const to = `/home/${newUser}`;
  const units = ".config/systemd/user";
  const word = unit === null ? null : shellWord(unit);
  return [
    `useradd --create-home --shell /usr/sbin/nologin ${user}`,
    word === null ? "stop OpenClaw" : `systemctl --user -M ${shellWord(`${owner}@`)} disable --now ${word}`,
    `mv ${shellWord(`${from}/.openclaw`)} ${shellWord(`${to}/.openclaw`)}`,
    ...(word === null
      ? []
      : [`install -D ${shellWord(`${from}/${units}/${unit}`)} ${shellWord(`${to}/${units}/${unit}`)}`]),
    `chown -R ${user}: ${shellWord(to)}`,
    word === null
      ? `start OpenClaw as ${newUser} (User=${newUser} in its unit)`
      : `loginctl enable-linger ${user} && systemctl --user -M ${shellWord(`${newUser}@`)} enable --now ${word}`,
  ];
}

/** Returns the cure that makes the agent somebody of its own, as one line. */
export function dedicatedUser(account: Pick<AccountFacts, "name" | "belongings">): string {
  const { belongings, name } = account;
  if (belongings === null || name === null)
    return "give OpenClaw a user of its own, without sudo, and name it in the policy (scopes: {agent: {user: NAME}})";
  const steps = dedicatedUserSteps(belongings, name);
  return `a user of its own, as root: ${steps.join("; ")}; then scopes: {agent: {user: ${belongings.newUser}}} in the policy and sudo seawall apply`;
}
