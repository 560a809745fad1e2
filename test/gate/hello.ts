/** ClientHellos: what Node's own client sends, and some that no client sends. */
import { Duplex } from "node:stream";
import tls from "node:tls";

/** Returns what Node's client writes first; no network is used. */
export function hello(servername: string | null, options: tls.ConnectionOptions = {}): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const wire = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        done();
        resolve(Uint8Array.from(chunk));
        wire.destroy();
      },
    });
    const named = servername === null ? {} : { servername };
    tls.connect({ socket: wire, ...named, ...options }).on("error", reject);
  });
}

const SERVER_NAME = 0;

/** Returns a ClientHello (RFC 8446 4.1.2) with these entries in one server_name extension, or in several. */
export function helloWith(lists: readonly (readonly string[])[]): Uint8Array {
  const extensions = lists.map((names) => {
    const entries = names.map((name) => {
      const bytes = Buffer.from(name, "latin1");
      return Buffer.concat([Buffer.from([0]), sized(bytes, 2)]);
    });
    return Buffer.concat([Buffer.from([0, SERVER_NAME]), sized(sized(Buffer.concat(entries), 2), 2)]);
  });
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    Buffer.from([0]),
    sized(Buffer.from([0x13, 0x01]), 2),
    Buffer.from([1, 0]),
    sized(Buffer.concat(extensions), 2),
  ]);
  const message = Buffer.concat([Buffer.from([1]), sized(body, 3)]);
  return Buffer.concat([Buffer.from([22, 3, 1]), sized(message, 2)]);
}

function sized(bytes: Buffer, lengthBytes: number): Buffer {
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntBE(bytes.length, 0, lengthBytes);
  return Buffer.concat([length, bytes]);
}

/** The alert `access_denied` (RFC 8446 6) that a refused client is told, as Latin-1. */
export const DENIED_ALERT = "\x15\x03\x03\x00\x02\x02\x31";
