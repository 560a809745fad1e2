/** Writes a .tar.gz that only root reads, whole or not at all. */
import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  createWriteStream,
  fstatSync,
  linkSync,
  openSync,
  readSync,
  rmSync,
} from "node:fs";
import { once } from "node:events";
import { finished } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { ARCHIVE_END, encodeHeader, paddingOf } from "../../core/archive/tar.ts";
import { SeawallError } from "../../core/base/error.ts";

/** What goes into an archive: a text, or a file as it was measured. */
export type Content =
  | { readonly path: string; readonly text: string }
  | { readonly path: string; readonly file: string; readonly bytes: number; readonly sha256: string };

const CHUNK_BYTES = 1024 * 1024;

/** Returns length, SHA-256 and permissions of a regular file. Throws the errno; refuses what is no regular file. */
export function measure(file: string): {
  readonly bytes: number;
  readonly sha256: string;
  readonly mode: number;
} {
  const hash = createHash("sha256");
  let bytes = 0;
  let mode = 0;
  for (const { chunk, permissions } of chunksOf(file)) {
    hash.update(chunk);
    bytes += chunk.length;
    mode = permissions;
  }
  return { bytes, sha256: hash.digest("hex"), mode };
}

/**
 * Writes the contents in their order to a new file. Refuses a path where something is, a name that is too long for
 * tar, and a file that is not what it was when it was measured; then nothing is left.
 */
export async function writeArchive(path: string, contents: readonly Content[], nowMs: number): Promise<void> {
  const beside = `${path}.part-${process.pid}`;
  try {
    // SECURITY: O_EXCL follows no link that somebody else put there.
    const file = openSync(beside, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    const gzip = createGzip();
    const out = createWriteStream(beside, { fd: file, flush: true });
    gzip.pipe(out);
    const failed = once(gzip, "error").catch(() => undefined);
    const ended = finished(out);
    ended.catch(() => undefined);
    for (const content of contents) {
      for (const part of partsOf(content, Math.floor(nowMs / 1_000))) {
        if (!gzip.write(part)) await Promise.race([once(gzip, "drain"), ended, failed]);
      }
    }
    gzip.end(ARCHIVE_END);
    await ended;
    // A link, not a rename: it refuses to replace what is there.
    linkSync(beside, path);
  } catch (cause) {
    if (cause instanceof SeawallError) throw cause;
    const isThere = cause instanceof Error && "code" in cause && cause.code === "EEXIST";
    throw new SeawallError(
      "SEAWALL_BACKUP",
      isThere ? `\`${path}\` is there already` : `cannot write \`${path}\``,
      {
        still: "nothing was changed, and no part of it is left",
        help: isThere ? "name another file" : `df ${path}`,
        cause,
      },
    );
  } finally {
    rmSync(beside, { force: true });
  }
}

function* partsOf(content: Content, time: number): Generator<Uint8Array> {
  const text = "text" in content ? Buffer.from(content.text) : null;
  const bytes = "text" in content ? (text?.length ?? 0) : content.bytes;
  const header = encodeHeader({ path: content.path, bytes, time });
  if (header === null)
    throw unusable(content.path, "its name is too long for an archive", "give it a shorter name");
  yield header;
  if ("text" in content) yield text ?? Buffer.alloc(0);
  else {
    const hash = createHash("sha256");
    let seen = 0;
    for (const { chunk } of chunksOf(content.file)) {
      seen += chunk.length;
      if (seen > content.bytes) break;
      hash.update(chunk);
      yield chunk;
    }
    if (seen !== content.bytes || hash.digest("hex") !== content.sha256)
      throw unusable(content.path, "it was changed while it was read", "seawall backup (once more)");
  }
  yield paddingOf(bytes);
}

function* chunksOf(file: string): Generator<{ readonly chunk: Uint8Array; readonly permissions: number }> {
  const opened = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    const state = fstatSync(opened);
    if (!state.isFile()) throw unusable(file, "it is no regular file", null);
    const permissions = state.mode & 0o777;
    for (;;) {
      const chunk = Buffer.alloc(CHUNK_BYTES);
      const length = readSync(opened, chunk, 0, chunk.length, null);
      yield { chunk: chunk.subarray(0, length), permissions };
      if (length === 0) return;
    }
  } finally {
    closeSync(opened);
  }
}

function unusable(path: string, why: string, help: string | null): SeawallError {
  return new SeawallError("SEAWALL_BACKUP", `\`${path}\` cannot be kept: ${why}`, {
    still: "nothing was changed",
    ...(help === null ? {} : { help }),
  });
}
