import { SeawallError } from "../core/base/error.ts";

/** Does what a change gets along without. Returns why it could not be done and what follows from it, or null. */
export function attempted(otherwise: string, work: () => void): string | null {
  try {
    work();
    return null;
  } catch (cause) {
    if (!(cause instanceof SeawallError)) throw cause;
    return `${cause.message}; ${otherwise}`;
  }
}

/** Returns all troubles in one line, or null when there are none. */
export function together(troubles: readonly (string | null)[]): string | null {
  const found = troubles.filter((one) => one !== null);
  return found.length === 0 ? null : found.join("; ");
}
