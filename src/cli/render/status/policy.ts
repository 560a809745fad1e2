/** Which policy judges, by its number in the history. */
import type { Status } from "../../../apply/status.ts";
import { plain } from "../../../core/base/plain.ts";

export function policyLines({ generation, policy }: Status): string[] {
  return [
    ...(generation === null ? [] : [`generation ${generation}`]),
    ...(policy === null ? [] : [`policy     ${plain(policy.path)} (history ${policy.id})`]),
  ];
}
