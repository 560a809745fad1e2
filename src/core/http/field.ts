import { isToken } from "./request-line.ts";

/** One header or trailer field as it was written; the value without the white space around it. */
export interface Field {
  readonly name: string;
  /** One character a byte (RFC 9110 5.5 obs-text): hostile text, but without control characters. */
  readonly value: string;
}

/**
 * Returns the field in a line without its CRLF (RFC 9112 5), or undefined: white space before the colon, a line
 * that continues the one before (obs-fold), control characters.
 */
export function readField(line: string): Field | undefined {
  const colon = line.indexOf(":");
  if (colon < 1) return undefined;
  const name = line.slice(0, colon);
  const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "");
  return isToken(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value) ? { name, value } : undefined;
}

/** Returns the values of all fields of that name (lower case), in order. */
export function valuesOf(fields: readonly Field[], name: string): string[] {
  return fields.filter((field) => field.name.toLowerCase() === name).map(({ value }) => value);
}

/** Returns the members of all lists of that name (RFC 9110 5.6.1), in lower case, empty ones left out. */
export function membersOf(fields: readonly Field[], name: string): string[] {
  return valuesOf(fields, name)
    .flatMap((value) => value.split(","))
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, "").toLowerCase())
    .filter((member) => member !== "");
}
