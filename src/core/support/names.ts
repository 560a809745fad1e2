/** The names that a policy gives to things, whatever else is wrong with it. */
import { isOurWord } from "./vocabulary.ts";

/** LIMIT: names of one policy. */
const NAMES_MAX = 10_000;
const NAMING_KEYS = new Set(["scopes", "sets", "zones"]);
const NAMED_KEYS = new Set(["id", "user", "unit", "docker", "netns", "cgroup", "owner", "by"]);

/** Returns names of scopes, sets, zones and rules, of users and units, and of people, in an untyped policy. */
export function policyNames(content: unknown): string[] {
  const found = new Set<string>();
  collect(content, null, found);
  return [...found].filter((name) => !isOurWord(name));
}

function collect(value: unknown, key: string | null, found: Set<string>): void {
  if (found.size >= NAMES_MAX) return;
  if (typeof value === "string") {
    if (key !== null && NAMED_KEYS.has(key)) found.add(value);
  } else if (Array.isArray(value)) {
    for (const one of value) collect(one, key, found);
  } else if (typeof value === "object" && value !== null) {
    for (const [name, one] of Object.entries(value)) {
      if (key !== null && NAMING_KEYS.has(key)) found.add(name);
      collect(one, name, found);
    }
  }
}
