/** What the lists of names in this folder are made of. */

/** Names that were seen in one place. `*.name` stands only in an entry that says why it cannot be narrower. */
export interface PresetEntry {
  readonly hosts: readonly string[];
  /** Where the names were seen: a part of OpenClaw, a document, a measurement. */
  readonly source: string;
  /** When a person last compared the names with the source, as YYYY-MM-DD. */
  readonly reviewed: string;
  /** Why a wildcard among the hosts is unavoidable; null when there is none. */
  readonly wildcard: string | null;
}

export type PresetKind = "openclaw" | "provider" | "channel" | "search" | "speech" | "tool";

/** A reviewed list of names under one word. All of them are reached by tcp/443. */
export interface Preset {
  readonly name: string;
  readonly kind: PresetKind;
  /** What it opens, for a person: no final period. */
  readonly about: string;
  readonly entries: readonly PresetEntry[];
}

const REVIEWED = "2026-11-21";

/** Returns an entry of exact names. */
export function seen(source: string, ...hosts: readonly string[]): PresetEntry {
  return { hosts, source, reviewed: REVIEWED, wildcard: null };
}

/** Returns an entry with a wildcard and the reason that it cannot be narrower. */
export function below(source: string, wildcard: string, ...hosts: readonly string[]): PresetEntry {
  return { hosts, source, reviewed: REVIEWED, wildcard };
}

/** Returns an entry of one host name a region. `pattern` holds `REGION` once. */
export function regional(source: string, pattern: string, regions: readonly string[]): PresetEntry {
  return seen(source, ...regions.map((region) => pattern.replace("REGION", region)).sort());
}
