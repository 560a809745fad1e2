/** Whether names are decided now. */
import type { Status } from "../../../apply/status.ts";

const WORDS = {
  answers: "answers: names are decided",
  silent: "SILENT: what is enforced by name is refused until `seawall daemon` runs",
} as const;

/** A panic lets no name through, so no gate is missed. */
export function gateLine({ gate, state }: Status): string[] {
  if (gate === "not-needed") return [];
  return [`gate           ${state === "panic" ? "off during the panic" : WORDS[gate]}`];
}
