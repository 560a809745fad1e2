/** Times for people: of their own clock, and short. What programs read is RFC 3339. */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Returns `14:52` of the day of `nowMs`, else `11-29 14:52`, of another year `2025-11-29`; in local time. */
export function momentText(ms: number, nowMs: number): string {
  const [at, now] = [new Date(ms), new Date(nowMs)];
  if (at.getFullYear() !== now.getFullYear()) return `${at.getFullYear()}-${dayText(at)}`;
  const isToday = at.getMonth() === now.getMonth() && at.getDate() === now.getDate();
  return isToday ? clockText(at) : `${dayText(at)} ${clockText(at)}`;
}

function dayText(at: Date): string {
  return `${twoDigits(at.getMonth() + 1)}-${twoDigits(at.getDate())}`;
}

function clockText(at: Date): string {
  return `${twoDigits(at.getHours())}:${twoDigits(at.getMinutes())}`;
}

function twoDigits(number: number): string {
  return String(number).padStart(2, "0");
}

/** Returns how long something is: `47 s`, `8 min`, `3 h`, `2 d`. Cut, so that nobody is promised more. */
export function spanText(ms: number): string {
  if (ms < 2 * MINUTE_MS) return `${Math.max(0, Math.floor(ms / SECOND_MS))} s`;
  if (ms < 2 * HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  return ms < 2 * DAY_MS ? `${Math.floor(ms / HOUR_MS)} h` : `${Math.floor(ms / DAY_MS)} d`;
}
