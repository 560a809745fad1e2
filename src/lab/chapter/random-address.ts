import { randomInt } from "node:crypto";

/** First bytes of IPv4 that hold no special block (RFC 6890). */
const FIRST_BYTES = [
  ...range(1, 9),
  ...range(11, 99),
  ...range(101, 126),
  ...range(128, 168),
  ...range(170, 171),
  ...range(173, 191),
  ...range(193, 197),
  ...range(199, 202),
  ...range(204, 223),
];

/** Returns that many public addresses, half of them IPv6, new ones with every call. */
export function randomAddresses(count: number): string[] {
  return Array.from({ length: count }, (_, index) => (index % 2 === 0 ? random4() : random6()));
}

function random4(): string {
  const first = FIRST_BYTES[randomInt(FIRST_BYTES.length)] ?? 8;
  return [first, randomInt(256), randomInt(256), randomInt(1, 255)].join(".");
}

/** Of 2600::/12, without a group that is zero, so that the text is canonical. */
function random6(): string {
  const groups = Array.from({ length: 7 }, () => randomInt(1, 65_536).toString(16));
  return [`26${randomInt(16).toString(16)}${randomInt(16).toString(16)}`, ...groups].join(":");
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
