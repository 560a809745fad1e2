/** A mistake of ours, never of the user: the process stops and the kernel keeps its last ruleset. */
export class BugError extends Error {
  override readonly name = "BugError";
}

/** Throws BugError when an invariant of our own code does not hold. */
export function assert(condition: boolean, why: string): asserts condition {
  if (!condition) throw new BugError(why);
}

/** Ends an exhaustive switch; reaching it at run time is a bug. */
export function unreachable(value: never): never {
  throw new BugError(`unexpected value ${JSON.stringify(value)}`);
}
