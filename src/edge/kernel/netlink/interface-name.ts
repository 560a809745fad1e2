import { libc } from "./libc.ts";

/** How long a name is believed: interfaces can be renamed and indexes come again. */
export const NAME_KEPT_MS = 5_000;
/** LIMIT: names remembered at once. */
export const NAMES_MAX = 4096;
const IF_NAMESIZE = 16;

/**
 * Returns a look-up of interface names by index in this network namespace, null for an index that is gone.
 * Asks the kernel, not /sys: sysfs shows the namespace in which it was mounted.
 */
export function createInterfaceNames(now: () => number): (index: number) => string | null {
  const known = new Map<number, { name: string | null; untilMs: number }>();
  return (index) => {
    const timeMs = now();
    const entry = known.get(index);
    if (entry !== undefined && timeMs < entry.untilMs) return entry.name;
    if (known.size >= NAMES_MAX) known.clear();
    const name = askName(index);
    known.set(index, { name, untilMs: timeMs + NAME_KEPT_MS });
    return name;
  };
}

function askName(index: number): string | null {
  const bytes = Buffer.alloc(IF_NAMESIZE);
  if (!libc().ifIndexToName(index, bytes)) return null;
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end < 0 ? bytes.length : end);
}
