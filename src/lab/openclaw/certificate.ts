/** Certificates of the lab's own root, made by hand: a machine that runs the lab need not have openssl. */
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";

export interface Certified {
  /** PEM. The root that whoever enters the lab is told to trust. */
  readonly root: string;
  /** PEM. The private key of the sites. */
  readonly key: string;
  /** PEM. What the sites show. */
  readonly certificate: string;
}

interface Subject {
  readonly name: string;
  readonly key: KeyObject;
  /** What only the subject's own kind of certificate says, DER. */
  readonly extensions: Buffer;
}

const DAY_MS = 86_400_000;
const CURVE = { namedCurve: "prime256v1" };

/**
 * Returns a new root, and a certificate of it for these DNS names. Both are valid from a day before `nowMs` to two
 * days after it (RFC 5280).
 */
export function certify(names: readonly string[], nowMs: number): Certified {
  const root = generateKeyPairSync("ec", CURVE);
  const site = generateKeyPairSync("ec", CURVE);
  const issuer = "Root of the Seawall lab";
  const authority = { name: issuer, key: root.publicKey, extensions: IS_AUTHORITY };
  const server = { name: "site", key: site.publicKey, extensions: alternativeNames(names) };
  return {
    root: pem(signed(authority, 1, issuer, root.privateKey, nowMs)),
    key: site.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    certificate: pem(signed(server, 2, issuer, root.privateKey, nowMs)),
  };
}

/** RFC 5280 4.1: the part that is signed, how, and the signature. */
function signed(subject: Subject, serial: number, issuer: string, by: KeyObject, nowMs: number): Buffer {
  const body = sequence(
    tagged(0xa0, VERSION_3),
    tagged(0x02, Buffer.from([serial])),
    ECDSA_WITH_SHA256,
    nameOf(issuer),
    sequence(utcTime(nowMs - DAY_MS), utcTime(nowMs + 2 * DAY_MS)),
    nameOf(subject.name),
    subject.key.export({ type: "spki", format: "der" }),
    tagged(0xa3, sequence(subject.extensions)),
  );
  return sequence(body, ECDSA_WITH_SHA256, bitString(sign("sha256", body, by)));
}

/** X.690 8.1.3: a tag, the length of what follows, and that. */
function tagged(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return tagged(0x30, ...parts);
}

function bitString(bytes: Uint8Array): Buffer {
  return tagged(0x03, Buffer.from([0]), bytes);
}

/** RFC 5280 4.1.2.5.1: YYMMDDHHMMSSZ. */
function utcTime(atMs: number): Buffer {
  const digits = new Date(atMs).toISOString().replaceAll(/\D/g, "").slice(2, 14);
  return tagged(0x17, Buffer.from(`${digits}Z`));
}

const VERSION_3 = tagged(0x02, Buffer.from([2]));
/** 1.2.840.10045.4.3.2, RFC 5758. */
const ECDSA_WITH_SHA256 = sequence(tagged(0x06, Buffer.from("2a8648ce3d040302", "hex")));
/** 2.5.4.3, RFC 5280 appendix A. */
const COMMON_NAME = tagged(0x06, Buffer.from("550403", "hex"));
/** 2.5.29.19, critical: a certificate that may sign others. */
const IS_AUTHORITY = sequence(
  tagged(0x06, Buffer.from("551d13", "hex")),
  tagged(0x01, Buffer.from([0xff])),
  tagged(0x04, sequence(tagged(0x01, Buffer.from([0xff])))),
);

function nameOf(commonName: string): Buffer {
  return sequence(tagged(0x31, sequence(COMMON_NAME, tagged(0x0c, Buffer.from(commonName)))));
}

/** 2.5.29.17 with dNSName, RFC 5280 4.2.1.6. */
function alternativeNames(names: readonly string[]): Buffer {
  const list = sequence(...names.map((name) => tagged(0x82, Buffer.from(name))));
  return sequence(tagged(0x06, Buffer.from("551d11", "hex")), tagged(0x04, list));
}

function pem(der: Buffer): string {
  const lines = der.toString("base64").replaceAll(/.{64}/g, "$&\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
