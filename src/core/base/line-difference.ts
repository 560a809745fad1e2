/** The difference of two texts by lines, as `diff -u` shows it. */

/** Lines around a change. */
const CONTEXT_LINES = 3;
/** LIMIT: cells of the table of a comparison; larger ones are shown as all old lines, then all new ones. */
const CELLS_MAX = 4_000_000;

interface Line {
  readonly mark: " " | "-" | "+";
  readonly text: string;
}

/** Returns the lines of the difference, each with its mark and `@@` before each place; empty where there is none. */
export function lineDifference(before: string, after: string): string[] {
  if (before === after) return [];
  return hunks(compared(linesOf(before), linesOf(after)));
}

function linesOf(text: string): string[] {
  if (text === "") return [];
  return (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
}

function compared(old: readonly string[], now: readonly string[]): Line[] {
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < old.length - head && tail < now.length - head && old.at(-1 - tail) === now.at(-1 - tail))
    tail += 1;
  const same = (text: string): Line => ({ mark: " ", text });
  return [
    ...old.slice(0, head).map(same),
    ...middle(old.slice(head, old.length - tail), now.slice(head, now.length - tail)),
    ...old.slice(old.length - tail).map(same),
  ];
}

/** The longest common subsequence, from the back, so that it is read from the front. */
function middle(old: readonly string[], now: readonly string[]): Line[] {
  const width = now.length + 1;
  if ((old.length + 1) * width > CELLS_MAX) return [...marked("-", old), ...marked("+", now)];
  const lengths = new Uint32Array((old.length + 1) * width);
  const at = (left: number, right: number): number => lengths[left * width + right] ?? 0;
  for (let left = old.length - 1; left >= 0; left -= 1) {
    for (let right = now.length - 1; right >= 0; right -= 1) {
      lengths[left * width + right] =
        old[left] === now[right]
          ? at(left + 1, right + 1) + 1
          : Math.max(at(left + 1, right), at(left, right + 1));
    }
  }
  const lines: Line[] = [];
  let [left, right] = [0, 0];
  while (left < old.length && right < now.length) {
    if (old[left] === now[right]) {
      lines.push({ mark: " ", text: old[left] ?? "" });
      left += 1;
      right += 1;
    } else if (at(left + 1, right) >= at(left, right + 1)) {
      lines.push({ mark: "-", text: old[left] ?? "" });
      left += 1;
    } else {
      lines.push({ mark: "+", text: now[right] ?? "" });
      right += 1;
    }
  }
  return [...lines, ...marked("-", old.slice(left)), ...marked("+", now.slice(right))];
}

function marked(mark: Line["mark"], texts: readonly string[]): Line[] {
  return texts.map((text) => ({ mark, text }));
}

function hunks(lines: readonly Line[]): string[] {
  const isNear = lines.map(() => false);
  for (const [at, { mark }] of lines.entries()) {
    if (mark === " ") continue;
    for (let near = at - CONTEXT_LINES; near <= at + CONTEXT_LINES; near += 1) {
      if (near >= 0 && near < lines.length) isNear[near] = true;
    }
  }
  const shown: string[] = [];
  let [old, now] = [1, 1];
  for (const [at, { mark, text }] of lines.entries()) {
    if (isNear[at] === true) {
      if (isNear[at - 1] !== true) shown.push(`@@ line ${old}, now ${now} @@`);
      shown.push(`${mark}${text}`);
    }
    if (mark !== "+") old += 1;
    if (mark !== "-") now += 1;
  }
  return shown;
}
