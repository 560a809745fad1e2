import type { EndedConnections } from "../apply/cut.ts";
import { plain } from "../core/base/plain.ts";

/** Says how many connections a change has ended, and which: the first few of them. */
export function endedText({ ended, endedConnections }: EndedConnections): string {
  if (ended === 0) return "";
  const head = `ended: ${ended} open connection${ended === 1 ? "" : "s"} that the policy forbids\n`;
  const more = ended - endedConnections.length;
  const lines = endedConnections.map((one) => `  ${plain(one)}\n`);
  return [head, ...lines, ...(more > 0 ? [`  and ${more} more\n`] : [])].join("");
}
