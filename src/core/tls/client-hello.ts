import { type HelloRead, judgeHello, MALFORMED, type HelloWalk } from "./hello-message.ts";

export type { HelloRead, HelloProblem } from "./hello-message.ts";

/** LIMIT: bytes from the start of the connection to the end of the ClientHello, record headers included. */
export const HELLO_BYTES_MAX = 16_384;

/** Alert descriptions (RFC 8446 6) that a refused client is told. */
export const TLS_ALERT = { accessDenied: 49, unrecognizedName: 112 } as const;

const CONTENT = { alert: 21, handshake: 22 } as const;
/** The high byte of every version from SSL 3.0 to TLS 1.3; the low byte is ignored (RFC 8446 5.1). */
const VERSION_MAJOR = 3;
const CLIENT_HELLO = 1;
const RECORD_HEADER_BYTES = 5;
/** RFC 8446 5.1: a TLSPlaintext fragment is at most 2^14 bytes. */
const RECORD_BYTES_MAX = 16_384;
const MESSAGE_HEADER_BYTES = 4;

const MORE: HelloRead = { kind: "more" };
const NOT_TLS: HelloRead = { kind: "refused", problem: "not-tls" };
const TOO_LONG: HelloRead = { kind: "refused", problem: "too-long" };

/** Reads one connection's first bytes, whatever pieces they come in; every byte is looked at once. */
export interface HelloReader {
  /** Returns what is known now. Once it is not `more`, it never changes. */
  push(chunk: Uint8Array): HelloRead;
}

/**
 * Returns what `bytes`, the start of a connection, say: a whole ClientHello (RFC 8446 4.1.2), the prefix of a
 * possible one, or why it is none. What follows the ClientHello's last record is not looked at.
 */
export function readClientHello(bytes: Uint8Array): HelloRead {
  return createHelloReader().push(bytes);
}

export function createHelloReader(): HelloReader {
  const header = new Uint8Array(RECORD_HEADER_BYTES);
  const message = createMessage();
  let result = MORE;
  let consumed = 0;
  let headerBytes = 0;
  let recordLeft = 0;

  /** Takes one byte of a record header, or what the chunk has of a fragment; returns how many bytes that were. */
  const step = (chunk: Uint8Array): number => {
    if (recordLeft > 0) {
      const taken = message.append(chunk.subarray(0, recordLeft));
      recordLeft -= taken;
      result = message.result();
      return taken;
    }
    header[headerBytes] = chunk[0] ?? 0;
    headerBytes += 1;
    result = judgeRecordHeader(header, headerBytes, message.isEmpty());
    if (headerBytes === RECORD_HEADER_BYTES && result.kind === "more") {
      headerBytes = 0;
      recordLeft = bigEndian16(header, 3);
      result = message.announce(recordLeft);
    }
    return 1;
  };

  return {
    push(chunk) {
      let at = 0;
      while (result.kind === "more" && at < chunk.length) {
        if (consumed >= HELLO_BYTES_MAX) result = TOO_LONG;
        else {
          // INVARIANT: a fragment never reaches past the limit, so pieces of any size end in the same result.
          const taken = step(chunk.subarray(at, at + HELLO_BYTES_MAX - consumed));
          consumed += taken;
          at += taken;
        }
      }
      return result;
    },
  };
}

/** Returns whether the first bytes are a TLS record of a handshake; `more` while they may become one. */
export function looksLikeTls(bytes: Uint8Array): boolean | "more" {
  if (bytes.length === 0) return "more";
  if (bytes[0] !== CONTENT.handshake) return false;
  return bytes.length === 1 ? "more" : bytes[1] === VERSION_MAJOR;
}

/** Returns a record with one fatal alert (RFC 8446 6), in the clear: valid until a ServerHello was sent. */
export function alertRecord(description: number): Uint8Array {
  const fatal = 2;
  return Uint8Array.of(CONTENT.alert, VERSION_MAJOR, 3, 0, 2, fatal, description & 0xff);
}

function judgeRecordHeader(header: Uint8Array, length: number, isFirst: boolean): HelloRead {
  // SECURITY: another content type between two fragments is refused (RFC 8446 5.1 forbids interleaving).
  const stranger = isFirst ? NOT_TLS : MALFORMED;
  if (header[0] !== CONTENT.handshake) return stranger;
  if (length > 1 && header[1] !== VERSION_MAJOR) return stranger;
  if (length < RECORD_HEADER_BYTES) return MORE;
  const bytes = bigEndian16(header, 3);
  // RFC 8446 5.1: no empty fragments of handshake messages, none above 2^14.
  return bytes === 0 || bytes > RECORD_BYTES_MAX ? MALFORMED : MORE;
}

/** The handshake message put together from the fragments, judged as far as it is there. */
interface Message {
  isEmpty(): boolean;
  /** A record of so many bytes has begun. */
  announce(bytes: number): HelloRead;
  /** Returns how many bytes were taken: those up to where something is to be judged. */
  append(fragment: Uint8Array): number;
  result(): HelloRead;
}

function createMessage(): Message {
  const header = new Uint8Array(MESSAGE_HEADER_BYTES);
  let body = header;
  let filled = 0;
  /** The type and length first, then the body. */
  let isBody = false;
  let announced = 0;
  let walk: HelloWalk | undefined;
  let needed = MESSAGE_HEADER_BYTES;
  let result = MORE;

  const resume = (): void => {
    while (result.kind === "more" && walk !== undefined && filled >= needed) {
      const next = walk.next();
      if (next.done === true) result = next.value;
      else needed = next.value;
    }
  };
  /** SECURITY: a second message behind the ClientHello in its record would be read by nobody or by the wrong one. */
  const overlaps = (): boolean => isBody && announced > MESSAGE_HEADER_BYTES + body.length;
  const begin = (): void => {
    const length = ((header[1] ?? 0) << 16) | bigEndian16(header, 2);
    if (length > HELLO_BYTES_MAX - RECORD_HEADER_BYTES - MESSAGE_HEADER_BYTES) {
      result = TOO_LONG;
      return;
    }
    body = new Uint8Array(length);
    filled = 0;
    isBody = true;
    needed = 0;
    walk = judgeHello(body);
    if (overlaps()) result = MALFORMED;
    else resume();
  };

  return {
    isEmpty: () => announced === 0,
    result: () => result,
    announce(bytes) {
      announced += bytes;
      if (overlaps()) result = MALFORMED;
      return result;
    },
    append(fragment) {
      const taken = Math.min(fragment.length, needed - filled);
      body.set(fragment.subarray(0, taken), filled);
      filled += taken;
      if (isBody) resume();
      else if (header[0] !== CLIENT_HELLO) result = MALFORMED;
      else if (filled === MESSAGE_HEADER_BYTES) begin();
      return taken;
    },
  };
}

function bigEndian16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
