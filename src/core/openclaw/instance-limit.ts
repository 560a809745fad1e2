/** How many OpenClaws of one user are looked at, so that nobody hides those of others behind many of his own. */

/** LIMIT: instances of one user that run, and as many that are installed: who runs takes no place from who does not. */
const INSTANCES_PER_USER_MAX = 8;

/** Instances of a user that were not looked at. What is asked of all instances is then not known. */
export interface LeftOut {
  readonly uid: number;
  readonly count: number;
}

/** Returns the first of each user, and of whom how many more there are. */
export function limitPerUser<One extends { readonly uid: number }>(
  all: readonly One[],
): { readonly kept: readonly One[]; readonly leftOut: readonly LeftOut[] } {
  const counts = new Map<number, number>();
  const kept = all.filter(({ uid }) => {
    const count = (counts.get(uid) ?? 0) + 1;
    counts.set(uid, count);
    return count <= INSTANCES_PER_USER_MAX;
  });
  const leftOut = [...counts].flatMap(([uid, count]) =>
    count > INSTANCES_PER_USER_MAX ? [{ uid, count: count - INSTANCES_PER_USER_MAX }] : [],
  );
  return { kept, leftOut };
}

/** Returns the sentence that says so. */
export function leftOutText({ uid, count }: LeftOut): string {
  return `${count} more OpenClaws of uid ${uid} were not looked at (${INSTANCES_PER_USER_MAX} of a user are)`;
}

/** Returns what is said of a user whose processes call themselves the gateway and listen on nothing. */
export function claimText({ uid, count }: LeftOut): string {
  const [calls, listens] = count === 1 ? ["calls itself", "listens"] : ["call themselves", "listen"];
  const processes = `${count} ${count === 1 ? "process" : "processes"} of uid ${uid}`;
  return `${processes} ${calls} OpenClaw's gateway and ${listens} on nothing: not taken for one`;
}
