/**
 * The part of ustar (POSIX.1-2017, pax) that our archives use: regular files, nothing else. Every tar(1) reads what is
 * written here; what is read here is refused unless it is exactly that, so no link, device or absolute path gets in.
 */

export const BLOCK_BYTES = 512;
/** LIMIT: of the format; eleven octal digits. */
export const ENTRY_BYTES_MAX = 8 ** 11 - 1;

const NAME = { at: 0, bytes: 100 };
const MODE = { at: 100, bytes: 8 };
const OWNER = { at: 108, bytes: 8 };
const GROUP = { at: 116, bytes: 8 };
const SIZE = { at: 124, bytes: 12 };
const TIME = { at: 136, bytes: 12 };
const CHECKSUM = { at: 148, bytes: 8 };
const TYPE_AT = 156;
const LINK = { at: 157, bytes: 100 };
const MAGIC = { at: 257, bytes: 8 };
const PREFIX = { at: 345, bytes: 155 };
const USTAR = "ustar\u000000";
const REGULAR = 0x30;

export interface TarEntry {
  /** Relative, parts joined by `/`. */
  readonly path: string;
  readonly bytes: number;
  /** Unix time in seconds. */
  readonly time: number;
}

/** Returns the header of a regular file that only root reads, or null when the path is too long for ustar. */
export function encodeHeader({ path, bytes, time }: TarEntry): Uint8Array | null {
  const split = splitPath(path);
  if (split === null || bytes > ENTRY_BYTES_MAX) return null;
  const block = new Uint8Array(BLOCK_BYTES);
  put(block, NAME, split.name);
  put(block, PREFIX, split.prefix);
  put(block, MODE, octal(0o600, MODE.bytes));
  put(block, OWNER, octal(0, OWNER.bytes));
  put(block, GROUP, octal(0, GROUP.bytes));
  put(block, SIZE, octal(bytes, SIZE.bytes));
  put(block, TIME, octal(time, TIME.bytes));
  put(block, MAGIC, USTAR);
  block[TYPE_AT] = REGULAR;
  put(block, CHECKSUM, `${octal(checksumOf(block), 7)}\u0000 `);
  return block;
}

/** Returns the zeroes that fill an entry of so many bytes up to whole blocks. */
export function paddingOf(bytes: number): Uint8Array {
  return new Uint8Array((BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES);
}

/** What ends an archive. */
export const ARCHIVE_END: Uint8Array = new Uint8Array(2 * BLOCK_BYTES);

/** Returns the entry of a header block, `end` for a block of zeroes, or why it is not one of ours. */
export function decodeHeader(block: Uint8Array): TarEntry | "end" | { readonly problem: string } {
  if (block.every((byte) => byte === 0)) return "end";
  if (text(block, MAGIC.at, MAGIC.bytes) !== USTAR) return { problem: "it is no ustar archive" };
  const sum = number(block, CHECKSUM);
  if (sum !== checksumOf(block)) return { problem: "a header of it has a wrong checksum" };
  if (block[TYPE_AT] !== REGULAR || field(block, LINK) !== "")
    return { problem: "it holds something that is no regular file" };
  const bytes = number(block, SIZE);
  const time = number(block, TIME);
  const name = field(block, NAME);
  const prefix = field(block, PREFIX);
  if (bytes === null || time === null || name === null || prefix === null || name === "")
    return { problem: "a header of it cannot be read" };
  return { path: prefix === "" ? name : `${prefix}/${name}`, bytes, time };
}

interface Field {
  readonly at: number;
  readonly bytes: number;
}

function splitPath(path: string): { readonly name: string; readonly prefix: string } | null {
  if (lengthOf(path) <= NAME.bytes) return { name: path, prefix: "" };
  for (let at = path.indexOf("/"); at > 0; at = path.indexOf("/", at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (lengthOf(name) <= NAME.bytes && name !== "" && lengthOf(prefix) <= PREFIX.bytes)
      return { name, prefix };
  }
  return null;
}

const lengthOf = (value: string): number => new TextEncoder().encode(value).length;

function put(block: Uint8Array, { at, bytes }: Field, value: string): void {
  block.set(new TextEncoder().encode(value).subarray(0, bytes), at);
}

function octal(value: number, bytes: number): string {
  return value.toString(8).padStart(bytes - 1, "0");
}

/** The sum of all bytes, those of the checksum itself as spaces. */
function checksumOf(block: Uint8Array): number {
  return block.reduce((sum, byte, at) => {
    const isOwn = at >= CHECKSUM.at && at < CHECKSUM.at + CHECKSUM.bytes;
    return sum + (isOwn ? 0x20 : byte);
  }, 0);
}

function text(block: Uint8Array, at: number, bytes: number): string {
  return new TextDecoder("latin1").decode(block.subarray(at, at + bytes));
}

/** Returns a field up to its first NUL, or null when it is no UTF-8. */
function field(block: Uint8Array, { at, bytes }: Field): string | null {
  const whole = block.subarray(at, at + bytes);
  const end = whole.indexOf(0);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(end < 0 ? whole : whole.subarray(0, end));
  } catch {
    return null;
  }
}

function number(block: Uint8Array, { at, bytes }: Field): number | null {
  const match = /^([0-7]{1,11})[\0 ]+$/.exec(text(block, at, bytes));
  return match?.[1] === undefined ? null : Number.parseInt(match[1], 8);
}
