/** What the gate says on standard error, said by seawalld. The gate has nothing of seawalld's terminal or log. */
import type { Readable } from "node:stream";
import type { Say } from "../say.ts";

/** LIMIT: characters of one line that are said. */
const LINE_CHARS_MAX = 300;
/** LIMIT: lines of one gate that are said; what an honest gate says in its life is a handful. */
const LINES_MAX = 100;

/**
 * Says every line that comes from a gate. SECURITY: a gate that is taken over may write what it likes without end: it
 * is read on and thrown away, and neither fills memory nor a log.
 */
export function repeatLines(from: Readable, say: Say): void {
  let line = "";
  let lines = 0;
  const end = (): void => {
    if (line === "") return;
    lines += 1;
    if (lines <= LINES_MAX) say(`its gate says: ${line}`);
    if (lines === LINES_MAX) say(`what else its gate says is not shown (${LINES_MAX} lines were)`);
    line = "";
  };
  from.setEncoding("utf8");
  from.on("error", () => undefined);
  from.on("data", (text: string) => {
    const parts = text.split("\n");
    for (const [index, part] of parts.entries()) {
      if (index > 0) end();
      line = (line + part).slice(0, LINE_CHARS_MAX);
    }
  });
  from.once("close", end);
}
