/** What the log does not show, in words. */
import type { LineCount, OverShare, Shown } from "../../apply/not-shown.ts";

const PASSED = { accept: "admitted", refuse: "refused", drop: "dropped" } as const;

/** Returns the total of what is not shown, or null when it is not known. */
export function notShownTotal(lines: readonly LineCount[]): number | null {
  if (lines.some(({ notShown }) => notShown === null)) return null;
  return lines.reduce((sum, { notShown }) => sum + (notShown ?? 0), 0);
}

/** Returns lines about the packets that are not in the log, the most first; none when all of them are. */
export function notShownLines(lines: readonly LineCount[]): string[] {
  const total = notShownTotal(lines);
  if (total === 0) return [];
  if (total === null) {
    const counted = lines.reduce((sum, line) => sum + line.counted, 0);
    return [`the log cannot be read; the kernel counted ${figure(counted)} packets ${SINCE}`];
  }
  const missing = lines
    .filter(({ notShown }) => (notShown ?? 0) > 0)
    .toSorted((a, b) => (b.notShown ?? 0) - (a.notShown ?? 0));
  return [
    `${figure(total)} packets are not in the log, ${SINCE}`,
    ...missing.map(
      ({ direction, place, verdict, counted, notShown }) =>
        `  ${direction} ${place}: ${figure(notShown ?? 0)} of ${figure(counted)} that were ${PASSED[verdict]}`,
    ),
  ];
}

const SINCE = "since the rules were loaded";

/** Returns a line for each zone or scope that was over its share of the connection table. */
export function overShareLines(overShare: readonly OverShare[]): string[] {
  return overShare.map(
    ({ direction, place, refused }) =>
      `${direction} ${place}: ${figure(refused)} packets were over its share of connections`,
  );
}

/** Returns the lines of `status`; empty text when the log has everything. */
export function shownText({ lines, overShare }: Shown): string {
  const [first, ...more] = notShownLines(lines);
  const rows = first === undefined ? [] : [`log        ${first}`, ...more.map((line) => `         ${line}`)];
  const limits = overShareLines(overShare).map((line) => `limit      ${line}`);
  return [...rows, ...limits].map((line) => `${line}\n`).join("");
}

/** Returns the object of `status --json`. */
export function shownRecord({ lines, overShare }: Shown): Readonly<Record<string, unknown>> {
  return { total: notShownTotal(lines), lines, overShare };
}

function figure(count: number): string {
  return count.toLocaleString("en");
}
