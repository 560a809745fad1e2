const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
/** LIMIT: ten years. */
const DURATION_MAX_MS = 3_650 * UNITS_MS.d;

/** Returns the ms of `90s`, `15m`, `1h`, `7d`, `2w` or `500ms`, or undefined. Whole numbers with a unit only. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^([0-9]{1,9})(ms|[smhdw])$/.exec(text);
  if (match === null) return undefined;
  const unit = match[2] as keyof typeof UNITS_MS;
  const durationMs = Number(match[1]) * UNITS_MS[unit];
  return durationMs <= DURATION_MAX_MS ? durationMs : undefined;
}

/** Returns the Unix ms of a time (RFC 3339) or of a duration before `nowMs`, or undefined. */
export function parseSinceMs(text: string, nowMs: number): number | undefined {
  const durationMs = parseDurationMs(text);
  if (durationMs !== undefined) return nowMs - durationMs;
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/.test(text)) return undefined;
  const timeMs = Date.parse(text);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}
