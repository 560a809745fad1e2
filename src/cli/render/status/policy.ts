/** Which policy judges, by its number in the history. */
import type { Status } from "../../../apply/status.ts";
import { plain } from "../../../core/base/plain.ts";
import { momentText } from "../moment.ts";

export function policyLine({ policy }: Status): string[] {
  return policy === null ? [] : [`in force       history ${policy.id}, from ${plain(policy.path)}`];
}

/** A change that nobody confirmed leaves no trace in the kernel, but it may still stand in the file. */
export function lastChangeLines({ lastChange, at }: Status): string[] {
  if (lastChange === null) return [];
  const { id, by, how } = lastChange;
  const when = momentText(Date.parse(lastChange.at), Date.parse(at));
  const words = {
    "ran out": "was not confirmed in time and was undone",
    withdrawn: "was taken back before it was confirmed",
  } as const;
  const end = how === null ? "was not confirmed and is not in force" : words[how];
  return [`last change    history ${id} (${plain(by)}, ${when}) ${end}`];
}
