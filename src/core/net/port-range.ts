import type { Branded } from "../base/brand.ts";

export type Port = Branded<number, "Port">;

/** Inclusive. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export const PORT_MAX = 65_535;
export const EVERY_PORT: PortRange = { first: 0, last: PORT_MAX };

/** Returns the port 1..65535 that `text` spells in plain decimal, or undefined. */
export function parsePort(text: string): Port | undefined {
  if (!/^[1-9][0-9]{0,4}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= PORT_MAX ? (value as Port) : undefined;
}

/** Returns the range that `8080` or `8000-8080` spells, or undefined (reversed ranges too). */
export function parsePortRange(text: string): PortRange | undefined {
  const dash = text.indexOf("-");
  const first = parsePort(dash < 0 ? text : text.slice(0, dash));
  const last = dash < 0 ? first : parsePort(text.slice(dash + 1));
  if (first === undefined || last === undefined || last < first) return undefined;
  return { first, last };
}

export function formatPortRange(range: PortRange): string {
  return range.first === range.last ? String(range.first) : `${range.first}-${range.last}`;
}
