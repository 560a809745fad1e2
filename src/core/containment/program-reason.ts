import { shellWord } from "../base/shell-word.ts";
import { isOrdinaryProgram, POWERFUL_CAPABILITIES, POWERFUL_GROUPS } from "./baseline.ts";
import type { HostFacts, Effect, ProgramFacts, Reason } from "./facts.ts";
import { evidenceOf, judge } from "./reason.ts";

/** Returns what the programs and accounts of the machine give to everybody on it. */
export function programReasons(facts: HostFacts, held: boolean): readonly Reason[] {
  const effect: Effect = held ? "partial" : "escapes";
  return [
    ...judge(facts.programs, "program", "which programs give more rights", (programs) => {
      const extra = programs.filter((one) => isPowerful(one) && !isOrdinaryProgram(one.path));
      return [
        ...listed(
          extra.filter(({ packaged }) => packaged === false),
          {
            id: "setuid",
            sentence: "a program that no package has runs with more rights than who starts it",
            cure: "chmod ug-s (or setcap -r) what is listed, or remove it",
            effect,
          },
        ),
        ...listed(
          extra.filter(({ packaged }) => packaged !== false),
          {
            id: "setuid-unusual",
            sentence: "a program runs with more rights than who starts it, which is not usual for it",
            cure: "chmod ug-s (or setcap -r) what is listed, unless its package needs it so",
            effect: "unknown",
          },
        ),
      ];
    }),
    ...judge(facts.withoutPassword, "password", "whether an account has no password", (users) =>
      users.length === 0
        ? []
        : [
            {
              id: "no-password",
              sentence: "an account needs no password, so su makes anybody that user",
              evidence: evidenceOf(users),
              cure: `passwd -l ${shellWord(users[0] ?? "")}`,
              effect,
            },
          ],
    ),
  ];
}

function isPowerful({ kind, gives }: ProgramFacts): boolean {
  switch (kind) {
    case "setuid":
      return true;
    case "setgid":
      return gives.some((group) => POWERFUL_GROUPS.has(group));
    case "capability":
      return gives.some((capability) => POWERFUL_CAPABILITIES.has(capability));
  }
}

function listed(programs: readonly ProgramFacts[], reason: Omit<Reason, "evidence">): readonly Reason[] {
  if (programs.length === 0) return [];
  const evidence = evidenceOf(
    programs.map(({ path, kind, gives }) => `${path} (${kind} ${gives.join("+")})`),
  );
  return [{ ...reason, evidence }];
}
