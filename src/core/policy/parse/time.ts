const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/**
 * Returns the first millisecond (Unix time) at which `text` has passed: the end of that day in UTC for a
 * date, the instant for an RFC 3339 timestamp with offset. Refuses days and times that do not exist.
 */
export function parseExpiry(text: string): number | undefined {
  const match =
    /^(\d{4})-(\d{2})-(\d{2})(?:[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2}))?$/.exec(
      text,
    );
  if (match === null) return undefined;
  const part = (index: number): number => Number(match[index] ?? "0");
  const dayMs = dayStart(part(1), part(2), part(3));
  if (dayMs === undefined) return undefined;
  const zone = match[8];
  if (zone === undefined) return dayMs + DAY_MS;
  if (part(4) > 23 || part(5) > 59 || part(6) > 59) return undefined;
  const offset = offsetMinutes(zone);
  if (offset === undefined) return undefined;
  const fraction = Math.floor(Number(`0.${match[7] ?? "0"}`) * 1000);
  const inDay = (part(4) * 60 + part(5)) * MINUTE_MS + part(6) * 1000 + fraction;
  return dayMs + inDay - offset * MINUTE_MS;
}

/** INVARIANT: Date.UTC only, which reads no clock and no time zone. */
function dayStart(year: number, month: number, day: number): number | undefined {
  if (year < 1970 || month < 1 || month > 12 || day < 1) return undefined;
  const lastDay = new Date(Date.UTC(year, month, 0)).getUTCDate();
  return day > lastDay ? undefined : Date.UTC(year, month - 1, day);
}

function offsetMinutes(zone: string): number | undefined {
  if (zone === "Z" || zone === "z") return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}

/** Returns the day of a Unix time (ms) as `2027-01-31`, in UTC. */
export function formatDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
