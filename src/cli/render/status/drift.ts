/** What others did to the kernel's rules. */
import type { Status } from "../../../apply/status.ts";
import { plain } from "../../../core/base/plain.ts";

/** SECURITY: names of programs and units are somebody else's. */
export function changeLines({ changes }: Status): string[] {
  if (changes === null) return [];
  const { last, healed, alarm, others } = changes;
  return [
    ...(last === null
      ? []
      : [`changed    ${last.at} ${last.what}${last.by === null ? "" : `, by ${last.by}`}: ${last.outcome}`]),
    ...(healed > 1 ? [`           healed ${healed} times since seawalld started`] : []),
    ...(alarm
      ? ["ALARM      somebody changes our rules again and again; they are healed three times a minute"]
      : []),
    ...others.map(({ said, help }) => `others     ${said}; try: ${help}`),
  ].map(plain);
}

export function driftLines({ drift }: Status): string[] {
  return drift === null ? [] : [`drift      ${drift}`, "Next: seawall apply FILE"];
}
