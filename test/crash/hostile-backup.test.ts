// A backup that somebody else made, or that is damaged, harms nothing: it is refused with what is wrong with it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { beforeEach, describe, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { ARCHIVE_END, encodeHeader, paddingOf } from "../../src/core/archive/tar.ts";
import { closeStore, openStore } from "../../src/edge/store/database.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { at, backup, fill, folders, hashOf, make, restore, root, tree, VERSION } from "./installation.ts";

beforeEach(() => {
  fill("before");
  rmSync(backup, { force: true });
});

interface Entry {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Of ustar; `0` is a regular file. */
  readonly type?: string;
  readonly link?: string;
}

/** An archive of these entries, each header with a right checksum. */
function archive(entries: readonly Entry[]): Buffer {
  const parts = entries.flatMap(({ path, bytes, type, link }) => {
    const header = encodeHeader({ path, bytes: bytes.length, time: 0 });
    assert.ok(header !== null);
    if (type !== undefined) header[156] = type.charCodeAt(0);
    if (link !== undefined) header.set(Buffer.from(link), 157);
    header.fill(0x20, 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.set(Buffer.from(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
    return [header, bytes, paddingOf(bytes.length)];
  });
  return gzipSync(Buffer.concat([...parts, ARCHIVE_END]));
}

type Claim = Record<string, unknown>;

function manifestOf(files: readonly Entry[], change: Claim = {}): Entry {
  const claims = files.map(({ path, bytes }) => ({
    path,
    bytes: bytes.length,
    sha256: hashOf(bytes),
    mode: 0o600,
  }));
  const manifest = {
    schema: "seawall/backup",
    format: 1,
    version: VERSION,
    taken: "2026-11-21T12:00:00.000Z",
  };
  return {
    path: "manifest.json",
    bytes: Buffer.from(JSON.stringify({ ...manifest, files: claims, ...change })),
  };
}

const file = (path: string, text = "hostile"): Entry => ({ path, bytes: Buffer.from(text) });
const whole = (...files: readonly Entry[]): Buffer => archive([manifestOf(files), ...files]);

/** A database of ours with one statement more. */
function database(sql: string): Entry {
  const path = at("made.db");
  rmSync(path, { force: true });
  const store = openStore(folders.state);
  store.database.prepare("VACUUM INTO ?").run(path);
  closeStore(store);
  const made = new DatabaseSync(path);
  made.exec(sql);
  made.close();
  return { path: "state/events.db", bytes: readFileSync(path) };
}

const POLICY = file("config/policy.yaml", "version: 1\n");
const HOSTILE: Readonly<Record<string, () => Uint8Array>> = {
  "a path that leads out": () => whole(file("config/../../escaped")),
  "a path that leads out of the state": () => whole(file("state/history/../../escaped")),
  "an absolute path": () => whole(file("/tmp/escaped")),
  "a path with a backslash": () => whole(file("config/..\\escaped")),
  "a file that hides": () => whole(file("config/.profile")),
  "a file of the state that is not the operator's": () => whole(file("state/landmark.json")),
  "a link in place of a folder": () =>
    archive([
      manifestOf([file("config/policy.d/x.yaml")]),
      { path: "config/policy.d", bytes: Buffer.alloc(0), type: "2", link: "/etc" },
      file("config/policy.d/x.yaml"),
    ]),
  "a symbolic link that the manifest names": () =>
    archive([
      manifestOf([{ path: "config/policy.yaml", bytes: Buffer.alloc(0) }]),
      { path: "config/policy.yaml", bytes: Buffer.alloc(0), type: "2", link: "/etc/shadow" },
    ]),
  "a hard link": () =>
    archive([
      manifestOf([{ path: "config/policy.yaml", bytes: Buffer.alloc(0) }]),
      { path: "config/policy.yaml", bytes: Buffer.alloc(0), type: "1", link: "/etc/shadow" },
    ]),
  "a device": () =>
    archive([manifestOf([POLICY]), { path: "config/policy.yaml", bytes: Buffer.alloc(0), type: "3" }]),
  "a folder": () => archive([manifestOf([POLICY]), { path: "config/x", bytes: Buffer.alloc(0), type: "5" }]),
  "an entry that the manifest does not name": () =>
    archive([manifestOf([POLICY]), POLICY, file("config/more")]),
  "an entry twice": () => archive([manifestOf([POLICY]), POLICY, POLICY]),
  "a claim twice": () => archive([manifestOf([POLICY, POLICY]), POLICY]),
  "no manifest": () => archive([POLICY]),
  "a manifest that comes late": () => archive([POLICY, manifestOf([POLICY])]),
  "a manifest of another kind": () => archive([{ path: "manifest.json", bytes: Buffer.from("[1]") }, POLICY]),
  "a manifest with more in it than ours": () => archive([manifestOf([POLICY], { more: 1 }), POLICY]),
  "a missing file": () => archive([manifestOf([POLICY])]),
  "another content than claimed": () =>
    archive([manifestOf([POLICY]), { ...POLICY, bytes: Buffer.from("version: 2\n") }]),
  "a claim beyond every limit": () =>
    archive([
      manifestOf([], {
        files: [{ path: "config/x", bytes: 64 * 1024 ** 2, sha256: "0".repeat(64), mode: 0 }],
      }),
    ]),
  "a bomb: a quarter of a gigabyte of zeroes": () => gzipSync(Buffer.alloc(256 * 1024 ** 2), { level: 1 }),
  "a bomb in its manifest": () =>
    archive([{ path: "manifest.json", bytes: Buffer.alloc(64 * 1024 ** 2, 0x20) }]),
  "a thousand and one files": () =>
    whole(...Array.from({ length: 1_001 }, (_, index) => file(`config/policy.d/${index}.yaml`))),
  "something after its end": () => gzipSync(Buffer.concat([gunzipSync(whole(POLICY)), Buffer.from("more")])),
  nothing: () => Buffer.alloc(0),
  "no gzip": () => Buffer.from("PK\u0003\u0004 something else"),
  "no tar": () => gzipSync(Buffer.alloc(4_096, 0x41)),
  "a database that is none": () => whole(file("state/events.db", "x".repeat(4_096))),
  "a database with a trigger": () =>
    whole(database("CREATE TRIGGER t AFTER INSERT ON flow BEGIN DELETE FROM flow; END")),
  "a database with one table less": () => whole(database("DROP TABLE loss")),
  "a database of a newer format": () => whole(database("PRAGMA user_version = 999")),
  "an entry of the history that is none": () => whole(file("state/history/000001.json", "{}")),
};

describe("a backup is refused, and nothing is changed, that holds", () => {
  for (const [what, build] of Object.entries(HOSTILE)) {
    test(what, async () => {
      writeFileSync(backup, build());
      const now = tree();
      const outside = readdirSync(root).sort();
      for (const dryRun of [true, false])
        await assert.rejects(restore(backup, dryRun), {
          code: "SEAWALL_BACKUP",
          still: "nothing was changed",
        });
      assert.deepEqual(tree(), now);
      assert.deepEqual(readdirSync(root).sort(), outside);
      assert.ok(!existsSync("/tmp/escaped"));
    });
  }

  for (const [what, change, version] of [
    ["what a newer version made", { version: "0.2.0" }, /made by seawall 0\.2\.0, and this is 0\.1\.0/],
    ["a newer format", { format: 2, other: true, version: "1.0.0" }, /made by seawall 1\.0\.0/],
  ] as const) {
    test(`${what}, with the version that can read it`, async () => {
      writeFileSync(backup, archive([manifestOf([POLICY], change), POLICY]));
      await assert.rejects(restore(), { message: version, help: /install seawall \d\.\d\.0 or later/ });
    });
  }

  test("fewer bytes than it had, wherever it is cut; or other ones, wherever that is", async () => {
    await make();
    const bytes = readFileSync(backup);
    const now = tree();
    const random = seededRandom(5);
    for (let round = 0; round < 60; round += 1) {
      const place = random.below(bytes.length - 8);
      const torn = Buffer.from(bytes);
      torn[place] = (torn[place] ?? 0) ^ (1 + random.below(255));
      writeFileSync(at("torn"), round % 2 === 0 ? bytes.subarray(0, place) : torn);
      // The header of gzip holds a time and a system that mean nothing.
      if (round % 2 === 1 && place < 10) continue;
      await assert.rejects(restore(at("torn")), { code: "SEAWALL_BACKUP" }, `round ${round}, at ${place}`);
      assert.deepEqual(tree(), now);
    }
    rmSync(at("torn"));
  });

  test("no regular file", async () => {
    execFileSync("mkfifo", [at("fifo")]);
    for (const path of [at("fifo"), folders.config, at("nowhere"), "/dev/zero"])
      await assert.rejects(restore(path), { code: "SEAWALL_NOT_FOUND" });
    rmSync(at("fifo"));
  });
});
