/** Whether names are decided now, and what keeps them from it. */
import type { Status } from "../../../apply/status.ts";
import { plain } from "../../../core/base/plain.ts";
import type { DatedTrouble } from "../../../core/gate/trouble.ts";
import { momentText } from "../moment.ts";
import { folded } from "./fold.ts";

const WORDS = {
  answers: "answers: names are decided",
  silent: "SILENT: what is enforced by name is refused until `seawall daemon` runs",
} as const;
const FAILS = "NAMES FAIL: not every name is decided, or gets through";
const TROUBLED = "answers, but not all is well with names";

/** LIMIT: troubles on the screen; `--json` has all of them. */
const TROUBLES_SHOWN_MAX = 6;

/** A panic lets no name through, so no gate is missed. */
export function gateLine({ gate, gateTrouble, state, at }: Status): string[] {
  if (gate === "not-needed") return [];
  if (state === "panic") return ["gate           off during the panic"];
  if (gateTrouble.length === 0) return [`gate           ${WORDS[gate]}`];
  const more = gateTrouble.length - TROUBLES_SHOWN_MAX;
  return [
    `gate           ${gate === "silent" ? FAILS : TROUBLED}`,
    ...gateTrouble.slice(0, TROUBLES_SHOWN_MAX).flatMap((one) => troubleLines(one, Date.parse(at))),
    ...(more > 0 ? [`names          and ${more} more: seawall status --json`] : []),
  ];
}

/** SECURITY: names of programs, and lines of files, are somebody else's. */
function troubleLines({ scope, said, help, since }: DatedTrouble, nowMs: number): string[] {
  const when = momentText(Date.parse(since), nowMs);
  const text = `${scope === null ? "" : `${scope}: `}${said} (since ${when})${help === null ? "" : `; ${help}`}`;
  return folded("names", plain(text));
}
