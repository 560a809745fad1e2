import { unreachable } from "../base/assert.ts";
import type { AccountFacts, HostFacts, Reason, Starter } from "./facts.ts";
import { evidenceOf, judge, userWord } from "./reason.ts";

/**
 * Returns how a user's processes leave a unit, cgroup or network namespace while they stay the same user. A scope
 * by user has none of these ways out: whatever starts them, they have its uid.
 */
export function placeReasons(account: AccountFacts, boundary: HostFacts["boundary"]): readonly Reason[] {
  if (boundary === "user" || account.uid === 0) return [];
  const user = userWord(account);
  const cure = `judge it by user: {user: ${user}}`;
  return [
    ...judge(account.starters, "starter", "what else starts processes for it", (starters) =>
      starters.map((starter) => ({
        id: starter.kind,
        sentence: `${starterWords(starter.kind)} for ${user}, and they are outside the scope`,
        evidence: evidenceOf([starter.evidence]),
        cure,
        effect: "escapes" as const,
      })),
    ),
    ...judge(account.cgroups, "cgroup", "whether it can move its processes", (paths) =>
      paths.length === 0
        ? []
        : [
            {
              id: "cgroup",
              sentence: `${user} can move its processes out of the scope`,
              evidence: evidenceOf(paths.map((path) => `${path}/cgroup.procs`)),
              cure,
              effect: "escapes" as const,
            },
          ],
    ),
  ];
}

function starterWords(kind: Starter["kind"]): string {
  switch (kind) {
    case "user-manager":
      return "a systemd user manager starts processes";
    case "cron":
      return "cron starts processes";
    case "at":
      return "at starts processes";
    case "ssh":
      return "sshd starts sessions";
    default:
      return unreachable(kind);
  }
}
