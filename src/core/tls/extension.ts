import { type Hostname, parseHostname } from "../net/hostname.ts";

interface NameProblem {
  readonly problem: "malformed" | "invalid-name" | "duplicate-name";
}

const HOST_NAME = 0;

/**
 * Returns the name in server_name (RFC 6066 3) at [from, to), or why there is none. One host_name entry is all
 * that is taken: an empty list, a second entry, and another name type are refused.
 */
export function judgeServerName(view: DataView, from: number, to: number): Hostname | NameProblem {
  if (to - from < 2 || view.getUint16(from) !== to - from - 2) return { problem: "malformed" };
  let name: Hostname | undefined;
  let at = from + 2;
  while (at < to) {
    // SECURITY: how long an entry of another type is was never agreed on, so what follows it is anybody's guess.
    if (view.getUint8(at) !== HOST_NAME) return { problem: "invalid-name" };
    if (at + 3 > to) return { problem: "malformed" };
    const end = at + 3 + view.getUint16(at + 1);
    if (end > to) return { problem: "malformed" };
    if (name !== undefined) return { problem: "duplicate-name" };
    const parsed = parseHostname(byteText(view, at + 3, end));
    if (!parsed.ok) return { problem: "invalid-name" };
    name = parsed.name;
    at = end;
  }
  return name ?? { problem: "malformed" };
}

/** Returns the names in application_layer_protocol_negotiation (RFC 7301 3.1), or undefined when it is malformed. */
export function readProtocols(view: DataView, from: number, to: number): readonly string[] | undefined {
  if (to - from < 2 || view.getUint16(from) !== to - from - 2) return undefined;
  const names: string[] = [];
  let at = from + 2;
  while (at < to) {
    const end = at + 1 + view.getUint8(at);
    if (end > to || end === at + 1) return undefined;
    names.push(byteText(view, at + 1, end));
    at = end;
  }
  return names.length === 0 ? undefined : names;
}

/** One character a byte, so that no byte is lost or means two things. */
function byteText(view: DataView, from: number, to: number): string {
  let text = "";
  for (let at = from; at < to; at += 1) text += String.fromCharCode(view.getUint8(at));
  return text;
}
