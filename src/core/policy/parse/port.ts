import type { PortRange } from "../../net/port-range.ts";
import { formatPortRange, parsePort, parsePortRange } from "../../net/port-range.ts";
import type { Node } from "./node.ts";
import { shown } from "./node.ts";
import { fail, oneOrMore, termText, type Walk } from "./walk.ts";

const EXPECTED = "`port` must be a port 1-65535, a range such as 8000-8080, or a list of them";

/** Returns the ports of a `port:` value; what is no port is reported and left out. */
export function readPorts(walk: Walk, node: Node): PortRange[] {
  const ranges: PortRange[] = [];
  for (const item of oneOrMore(walk, node, "`port`")) {
    const text = termText(walk, item, EXPECTED);
    const range = text === null ? undefined : parsePortRange(text);
    if (range !== undefined) ranges.push(range);
    else if (text !== null) fail(walk, "port", item.span, `${EXPECTED}, not ${shown(text)}`, portHelp(text));
  }
  return ranges;
}

/** Returns the one port of a `port:` value (ranges are refused), or null with an error. */
export function readSinglePort(walk: Walk, node: Node, what: string): number | null {
  const text = termText(walk, node, `${what} must be a port 1-65535`);
  if (text === null) return null;
  const port = parsePort(text);
  if (port !== undefined) return port;
  fail(walk, "port", node.span, `${what} must be a port 1-65535, not ${shown(text)}`, portHelp(text));
  return null;
}

/** Advice for a text that nearly is a port. */
export function portHelp(text: string): string | null {
  if (/^[0-9]+:[0-9]+$/.test(text)) return "a mapping `host:container` is Docker's; give the one port";
  const reversed = /^([0-9]+)-([0-9]+)$/.exec(text);
  if (reversed !== null) {
    const range = parsePortRange(`${reversed[2]}-${reversed[1]}`);
    if (range !== undefined && range.first !== range.last) {
      return `the smaller port comes first: \`${formatPortRange(range)}\``;
    }
  }
  if (/^[0-9]+(?:[, /][0-9]+)+$/.test(text)) return "write several ports as a list: `[80, 443]`";
  if (/^(?:tcp|udp)\//.test(text)) return "write the protocol with `protocol:` and only the number here";
  if (/^0[0-9]+$/.test(text)) return "write the number without leading zeros";
  return null;
}
