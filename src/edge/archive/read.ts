/** Unpacks a backup into a folder of our own, where nothing uses it yet, and believes nothing of it unchecked. */
import { createHash, type Hash } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  statfsSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import {
  type BackupFile,
  type Manifest,
  MANIFEST_BYTES_MAX,
  MANIFEST_PATH,
  parseManifest,
} from "../../core/archive/manifest.ts";
import { createTarReader, type TarSink } from "../../core/archive/reader.ts";
import type { TarEntry } from "../../core/archive/tar.ts";
import { SeawallError } from "../../core/base/error.ts";

/** Space that is left free when a backup is unpacked. */
const SPARE_BYTES = 16 * 1024 * 1024;

/**
 * Unpacks every file of a backup below `into` and returns its manifest. Refuses an archive that is not whole, not
 * ours, of a newer version, or not what its manifest says; what was unpacked by then is the caller's to remove.
 */
export async function unpack(path: string, into: string, version: string): Promise<Manifest> {
  const file = openBackup(path);
  const sink = new Unpacking(into, version);
  const reader = createTarReader(sink);
  try {
    await pipeline(chunksOf(file), createGunzip(), async (chunks) => {
      for await (const chunk of chunks as AsyncIterable<Buffer>) stopAt(reader.push(chunk));
    });
    stopAt(reader.finish());
    return sink.whole();
  } catch (cause) {
    throw refusedFor(path, sink, cause);
  } finally {
    sink.close();
    closeSync(file);
  }
}

const CHUNK_BYTES = 256 * 1024;

function* chunksOf(file: number): Generator<Uint8Array> {
  for (;;) {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const length = readSync(file, chunk, 0, chunk.length, null);
    if (length === 0) return;
    yield chunk.subarray(0, length);
  }
}

class Refusal extends Error {
  override readonly name = "Refusal";
}

function stopAt(problem: string | null): void {
  if (problem !== null) throw new Refusal(problem);
}

function refusedFor(path: string, { help }: Unpacking, cause: unknown): SeawallError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const why =
    cause instanceof Refusal
      ? cause.message
      : code.startsWith("Z_")
        ? "it is not a whole gzip file"
        : cause instanceof Error
          ? cause.message
          : String(cause);
  return new SeawallError("SEAWALL_BACKUP", `the backup \`${path}\` cannot be used: ${why}`, {
    still: "nothing was changed",
    help: help ?? "use another backup (tar tvzf FILE lists what is in one)",
    cause,
  });
}

function openBackup(path: string): number {
  let file: number;
  try {
    // A named pipe must not make us wait for its writer.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw new SeawallError("SEAWALL_NOT_FOUND", `cannot read the backup \`${path}\``, {
      still: "nothing was changed",
      help: `ls -l ${path}`,
      cause,
    });
  }
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  throw new SeawallError("SEAWALL_NOT_FOUND", `\`${path}\` is no regular file`, {
    still: "nothing was changed",
  });
}

/** INVARIANT: a file is created only when the manifest names it, and never gets more bytes than that says. */
class Unpacking implements TarSink {
  readonly into: string;
  readonly version: string;
  help: string | null = null;
  manifest: Manifest | null = null;
  /** The files that have to come yet. */
  readonly awaited = new Map<string, BackupFile>();
  text: Buffer[] | null = null;
  open: { readonly fd: number; readonly hash: Hash; readonly wanted: BackupFile } | null = null;

  constructor(into: string, version: string) {
    this.into = into;
    this.version = version;
  }

  begin({ path, bytes }: TarEntry): string | null {
    if (this.manifest === null) {
      if (path !== MANIFEST_PATH || bytes > MANIFEST_BYTES_MAX)
        return "it does not begin with a manifest of ours";
      this.text = [];
      return null;
    }
    const wanted = this.awaited.get(path);
    if (wanted === undefined) return "it holds a file that its manifest does not name";
    if (wanted.bytes !== bytes) return `\`${path}\` is not as long as its manifest says`;
    const place = join(this.into, path);
    mkdirSync(dirname(place), { recursive: true, mode: 0o700 });
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    this.open = { fd: openSync(place, flags, 0o600), hash: createHash("sha256"), wanted };
    return null;
  }

  take(bytes: Uint8Array): void {
    this.text?.push(Buffer.from(bytes));
    if (this.open === null) return;
    this.open.hash.update(bytes);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.open.fd, bytes, at);
  }

  end(): string | null {
    if (this.text !== null) return this.readManifest(Buffer.concat(this.text).toString("utf8"));
    if (this.open === null) return null;
    const { fd, hash, wanted } = this.open;
    fsyncSync(fd);
    this.close();
    this.awaited.delete(wanted.path);
    return hash.digest("hex") === wanted.sha256
      ? null
      : `\`${wanted.path}\` is damaged: its checksum is another`;
  }

  readManifest(text: string): string | null {
    this.text = null;
    const read = parseManifest(text, this.version);
    if (!read.ok) {
      this.help = read.help;
      return read.problem;
    }
    this.manifest = read.manifest;
    for (const file of read.manifest.files) this.awaited.set(file.path, file);
    return lackOfSpace(this.into, read.manifest);
  }

  whole(): Manifest {
    const [missing] = this.awaited.keys();
    if (this.manifest === null) throw new Refusal("it is empty");
    if (missing !== undefined) throw new Refusal(`\`${missing}\` is missing in it`);
    return this.manifest;
  }

  close(): void {
    if (this.open !== null) closeSync(this.open.fd);
    this.open = null;
  }
}

function lackOfSpace(folder: string, { files }: Manifest): string | null {
  const needed = files.reduce((sum, { bytes }) => sum + bytes, 0) + SPARE_BYTES;
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize >= needed ? null : `it needs ${Math.ceil(needed / 1_048_576)} MiB of free space`;
}
