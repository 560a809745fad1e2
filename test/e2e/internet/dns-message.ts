// A name server's half of RFC 1035, as much as these tests ask: one question, answers from the zone.
import { isIPv4 } from "node:net";
import { lookUp } from "./zone.ts";

const HEADER_BYTES = 12;
const TTL_SECONDS = 30;
const TYPE = { A: 1, TXT: 16, AAAA: 28 } as const;
/** QR, RD, RA; RFC 1035 4.1.1. */
const ANSWER_FLAGS = 0x8180;
const NXDOMAIN = 3;
/** A pointer to the question's name, RFC 1035 4.1.4. */
const SAME_NAME = Buffer.from([0xc0, HEADER_BYTES]);

export type Question = { readonly name: string; readonly type: number; readonly end: number };

/** Reads the one question; null for bytes that hold none. */
export function readQuestion(message: Buffer): Question | null {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = message[at]; length !== 0; length = message[at]) {
    if (length === undefined || length > 63 || at + 1 + length >= message.length) return null;
    labels.push(message.toString("latin1", at + 1, at + 1 + length));
    at += length + 1;
  }
  if (at + 5 > message.length) return null;
  return { name: labels.join(".").toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 };
}

/** Returns the answer to a question: from the zone, no such name, or no such record. */
export function answerTo(message: Buffer, question: Question): Buffer {
  const addresses = lookUp(question.name);
  const records = addresses === null ? [] : recordsOf(addresses, question);
  const header = Buffer.from(message.subarray(0, HEADER_BYTES));
  header.writeUInt16BE(ANSWER_FLAGS | (addresses === null ? NXDOMAIN : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  header.writeUInt32BE(0, 8);
  return Buffer.concat([header, message.subarray(HEADER_BYTES, question.end), ...records]);
}

function recordsOf(addresses: readonly string[], { name, type }: Question): readonly Buffer[] {
  if (type === TYPE.TXT) return [record(type, textOf(`txt of ${name.split(".")[0] ?? ""}`))];
  if (type === TYPE.A) return addresses.filter(isIPv4).map((one) => record(type, bytesOf4(one)));
  if (type === TYPE.AAAA) {
    return addresses.filter((one) => !isIPv4(one)).map((one) => record(type, bytesOf6(one)));
  }
  return [];
}

function record(type: number, content: Buffer): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(1, 2);
  fixed.writeUInt32BE(TTL_SECONDS, 4);
  fixed.writeUInt16BE(content.length, 8);
  return Buffer.concat([SAME_NAME, fixed, content]);
}

function textOf(text: string): Buffer {
  const bytes = Buffer.from(text.slice(0, 255), "latin1");
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function bytesOf4(address: string): Buffer {
  return Buffer.from(address.split(".").map(Number));
}

function bytesOf6(address: string): Buffer {
  const [front = "", back = ""] = address.split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":"));
  const missing = 8 - groups(front).length - groups(back).length;
  const all = [...groups(front), ...Array.from({ length: missing }, () => "0"), ...groups(back)];
  return Buffer.from(all.map((group) => group.padStart(4, "0")).join(""), "hex");
}
