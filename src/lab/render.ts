import type { Message, Row } from "./row.ts";
import type { WorldProcesses } from "./world-process.ts";

const CLAIM_COLUMNS = 62;
const SEEN_COLUMNS = 24;
const ARROWS: Record<Row["direction"], string> = { inbound: "in ", outbound: "out", both: "   " };

interface Paint {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
}

/** Returns how to mark text: with colour for a terminal, else as it is. */
function paintOf(color: boolean): Paint {
  const wrap = (code: number) => (text: string) => (color ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { good: wrap(32), bad: wrap(31), strong: wrap(1), faint: wrap(2) };
}

/** Returns the line or lines for one message; empty text for one that people need not see. */
export function lineOf(message: Message, color: boolean): string {
  const paint = paintOf(color);
  switch (message.kind) {
    case "chapter":
      return `${paint.strong(message.title)}\n`;
    case "row":
      return rowLine(message.row, paint);
    case "note":
      return `  ${paint.faint(message.text)}\n`;
    case "failed":
    case "end":
      return "";
  }
}

function rowLine({ claim, direction, seen, log, expected, held }: Row, paint: Paint): string {
  const mark = held ? paint.good("ok") : paint.bad("NOT HELD");
  const columns = `${ARROWS[direction]} ${claim.padEnd(CLAIM_COLUMNS)} ${seen.padEnd(SEEN_COLUMNS)} ${paint.faint(log)}`;
  return `  ${mark} ${columns.trimEnd()}\n${held ? "" : `     ${paint.bad("expected:")} ${expected}\n`}`;
}

/** Returns the last lines: what held, and what to try next. */
export function summaryLine(
  { held, broken, seconds, kept }: { held: number; broken: number; seconds: number; kept: boolean },
  color: boolean,
): string {
  const paint = paintOf(color);
  const total = held + broken;
  const count =
    broken === 0
      ? paint.good(`all ${total} claims held`)
      : paint.bad(`${broken} of ${total} claims NOT HELD`);
  const left = kept ? "" : "; nothing is left of the lab, and this machine's own network was not touched";
  return `${count} in ${seconds} s${left}\n`;
}

/** Returns how to look around in a world that is kept. `seawall` are the words that start the command line. */
export function enterLines({ host, internet, container }: WorldProcesses, seawall: string): string {
  const line = (who: string, pid: number | null, more: string): string =>
    pid === null ? "" : `  ${who.padEnd(10)} nsenter -t ${pid} -n -m -p ${more}\n`;
  const folders = "env SEAWALL_STATE_DIR=/run/lab/state SEAWALL_RUN_DIR=/run/lab/run";
  const lines = [
    line("host", host, "sh"),
    line("internet", internet, "sh"),
    line("container", container, "sh"),
    line("seawall", host, `${folders} ${seawall} status`),
  ];
  return `the world stays up, enforcing, until Ctrl-C; to enter it:\n${lines.join("")}`;
}
