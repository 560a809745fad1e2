/** When the hosts of these tests were looked at. */
export const NOW = Date.parse("2026-11-21T12:00:00Z");
export const DAY = 86_400_000;
