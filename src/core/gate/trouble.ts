/** What keeps names from being decided now, as seawalld knows it. Light: `status` reads it. */

export interface GateTrouble {
  readonly kind: "pins" | "door" | "resolver" | "limit" | "network" | "daemon";
  /** Null: every scope. */
  readonly scope: string | null;
  /** Whether names go undecided, or what is decided does not get through. */
  readonly stops: boolean;
  readonly said: string;
  /** The one action that helps, or null where there is none but what `said` says. */
  readonly help: string | null;
}

/** A trouble with the moment in which seawalld first saw it, RFC 3339. */
export type DatedTrouble = GateTrouble & { readonly since: string };

/** LIMIT: troubles that are told; what is more is counted. */
export const TROUBLES_MAX = 64;

/** Whether a value that was read from a file is what was written there. */
export function isDatedTrouble(value: unknown): value is DatedTrouble {
  if (typeof value !== "object" || value === null) return false;
  const { scope, stops, said, help, since, kind } = value as Partial<Record<keyof DatedTrouble, unknown>>;
  const texts = [kind, said, since].every((one) => typeof one === "string");
  return (
    texts &&
    typeof stops === "boolean" &&
    [scope, help].every((one) => one === null || typeof one === "string")
  );
}
