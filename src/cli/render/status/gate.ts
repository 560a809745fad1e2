/** Whether names are decided now. */
import type { Status } from "../../../apply/status.ts";

const WORDS = {
  answers: "answers: names are decided",
  silent: "SILENT: what is enforced by name is refused until `seawall daemon` runs",
} as const;

export function gateLine({ gate }: Status): string[] {
  return gate === "not-needed" ? [] : [`gate       ${WORDS[gate]}`];
}
