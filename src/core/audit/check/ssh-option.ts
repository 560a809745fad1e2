/** What checks of sshd share: an option judged in every context, and the words for it. */
import type { SshContext, SshFacts } from "../fact/ssh.ts";
import type { Facts } from "../fact/facts.ts";
import { fail, given, type Outcome, passUnless } from "../check.ts";

/** Returns the values of an option in one context; an option that sshd does not know has none. */
export function valuesOf(context: SshContext, option: string): readonly string[] {
  return context.options.get(option) ?? [];
}

export function valueOf(context: SshContext, option: string): string | undefined {
  return valuesOf(context, option)[0];
}

/** `as ann from 203.0.113.9` */
export function whoFrom(context: SshContext): string {
  return `as ${context.user} from ${context.address}`;
}

/** Judges one option in every context. A context without the option says nothing about it. */
export function inEveryContext(
  facts: Facts,
  option: string,
  allowed: (value: string, context: SshContext) => boolean,
): Outcome {
  return given(facts.ssh, (ssh) => {
    const wrong = ssh.contexts.filter((context) => {
      const value = valueOf(context, option);
      return value !== undefined && !allowed(value, context);
    });
    const values = new Set(wrong.map((context) => valueOf(context, option)));
    if (wrong.length === ssh.contexts.length && values.size === 1 && wrong.length > 0)
      return fail(`${option} ${[...values].join("")} in ${countOf(ssh)}`);
    return passUnless(
      wrong.map((context) => `${option} ${valueOf(context, option) ?? ""} ${whoFrom(context)}`),
      `${option} ${distinct(ssh, option)} in ${countOf(ssh)}`,
    );
  });
}

export function distinct(ssh: SshFacts, option: string): string {
  const values = new Set(ssh.contexts.map((context) => valuesOf(context, option).join(", ") || "not set"));
  return [...values].join(" / ");
}

export function countOf(ssh: SshFacts): string {
  const count = ssh.contexts.length;
  return count === 1 ? "the one context sshd was asked about" : `all ${count} contexts sshd was asked about`;
}
