/** Adds a rule to the policy file: only its lines change, and the result is checked before it is written. */
import { hasError } from "../core/base/diagnostic.ts";
import { SeawallError } from "../core/base/error.ts";
import { plain } from "../core/base/plain.ts";
import { addRule } from "../core/policy/edit/add-rule.ts";
import { outboundRuleText, type RuleWish } from "../core/policy/edit/outbound-rule.ts";
import { PRESET_NAMES } from "../core/policy/preset/preset.ts";
import { readPolicyText } from "../edge/host/policy-file.ts";
import type { CommandContext } from "./command.ts";
import { checkWritten, readPolicy } from "./policy.ts";
import { replaceKeeping } from "./policy-write.ts";
import { renderDiagnostics } from "./render/diagnostic.ts";

/** A change of a policy file that is sound and not written yet. */
export interface ProposedEdit {
  readonly path: string;
  readonly before: string;
  readonly after: string;
  /** Whether the file was named, and not the one that is installed. */
  readonly isNamed: boolean;
}

/** Adds the rule, shows the difference, and says what to do next. With `dry` nothing is written. */
export function addOutboundRule(
  context: CommandContext,
  file: string | undefined,
  wish: RuleWish,
  dry: boolean,
): void {
  const edit = proposeOutboundRule(context, file, wish);
  context.out(difference(edit.path, edit.before, edit.after));
  if (dry) return context.err("dry run: nothing was written\n");
  writeEdit(context, edit);
}

/** Returns the change that adds the rule. Refuses one after which the policy would be wrong. */
export function proposeOutboundRule(
  context: CommandContext,
  file: string | undefined,
  wish: RuleWish,
): ProposedEdit {
  const written = readPolicy(context, file);
  const nowMs = context.nowMs();
  const edited = addRule(written.text, "outbound", outboundRuleText(wish), { nowMs, presets: PRESET_NAMES });
  if (!edited.ok) {
    context.err(renderDiagnostics(edited.diagnostics, written.text, written.path, false));
    throw unusable(written.path);
  }
  const check = checkWritten({ ...written, text: edited.text }, nowMs);
  if (hasError(check.diagnostics)) {
    context.err(renderDiagnostics(check.diagnostics, edited.text, written.path, false, written.dropIns));
    throw unusable(written.path);
  }
  return { path: written.path, before: written.text, after: edited.text, isNamed: file !== undefined };
}

/** Writes the change and says what to do next. Refuses when the file is no longer what the change was made from. */
export function writeEdit(context: CommandContext, { path, before, after, isNamed }: ProposedEdit): void {
  if (readPolicyText(path) !== before) {
    throw new SeawallError("SEAWALL_BUSY", `\`${path}\` was changed meanwhile`, {
      still: "nothing was written",
      help: "the same command again: it shows the difference to what is there now",
    });
  }
  replaceKeeping(path, after);
  context.err(`Next: seawall apply${isNamed ? ` ${path}` : ""}\n`);
}

function unusable(path: string): SeawallError {
  return new SeawallError("SEAWALL_POLICY", `the rule cannot be added to \`${path}\``, {
    still: "the file is as it was, and so is what is in force",
    help: `seawall policy check ${path}`,
  });
}

/** The lines that are new, with three of what stands around them. */
export function difference(path: string, before: string, after: string): string {
  const [old, now] = [before.split("\n"), after.split("\n")];
  let head = 0;
  while (head < old.length && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < old.length - head && tail < now.length - head && old.at(-1 - tail) === now.at(-1 - tail))
    tail += 1;
  const from = Math.max(0, head - 3);
  return [
    `--- ${plain(path)}, line ${head + 1}`,
    ...now.slice(from, head).map((line) => ` ${line}`),
    ...old.slice(head, old.length - tail).map((line) => `-${line}`),
    ...now.slice(head, now.length - tail).map((line) => `+${line}`),
    "",
  ].join("\n");
}

/** Who asks, for `owner`: the login behind sudo, or nobody. */
export function operatorOf(context: CommandContext): string | null {
  const name = context.env["SUDO_USER"] ?? context.env["LOGNAME"] ?? "";
  return /^[a-z_][a-z0-9_-]{0,31}$/.test(name) ? name : null;
}
