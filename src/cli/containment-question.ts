/** What `init` says of the users that OpenClaw runs as, before anything is applied. */
import { gradeContainment } from "../core/containment/grade.ts";
import { openProbe } from "../edge/host/containment/probe.ts";

/** Returns one sentence for each user whose processes can become somebody whom the rules do not judge. */
export function containmentQuestions(
  instances: readonly {
    readonly uid: number;
    readonly user: string | null;
    readonly container: object | null;
  }[],
): string[] {
  // Whoever is inside a container is somebody else by that number outside.
  const here = instances.filter(({ container }) => container === null);
  const users = new Map(here.map(({ uid, user }) => [uid, user ?? `uid ${uid}`]));
  if (users.size === 0) return [];
  const probe = openProbe();
  return [...users].flatMap(([uid, user]) => {
    const { grade, reasons } = gradeContainment(
      probe.facts({ kind: "users", uids: [{ first: uid, last: uid }] }),
    );
    const [worst] = reasons;
    if (grade !== "not-contained" || worst === undefined) return [];
    return [`${user} is NOT CONTAINED: ${worst.sentence} (${worst.evidence}); cure: ${worst.cure}`];
  });
}
