// A backup holds what was there, also while events are written; a restore is all or nothing, whatever is in the file and
// whenever the process ends.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { after, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { backUp } from "../../src/apply/backup.ts";
import { restoreBackup } from "../../src/apply/restore.ts";
import { ARCHIVE_END, encodeHeader, paddingOf } from "../../src/core/archive/tar.ts";
import { createRecorder } from "../../src/daemon/event-recorder.ts";
import { policyHash, writeHistory } from "../../src/edge/state/history.ts";
import { makeMoves, undoMoves } from "../../src/edge/state/swap.ts";
import { closeStore, openStore, openStoreReadOnly } from "../../src/edge/store/database.ts";
import { createEventWriter } from "../../src/edge/store/event-store.ts";
import { listFlows } from "../../src/edge/store/flow-query.ts";
import { flowEvent } from "../support/event.ts";
import { seededRandom } from "../support/seeded-random.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const VERSION = "0.1.0";
const NOW_MS = Date.parse("2026-11-21T12:00:00Z");
const RUN_DEADLINE_MS = 20_000;

const root = mkdtempSync(join(tmpdir(), "seawall-backup-"));
after(() => rmSync(root, { recursive: true, force: true }));
const folders = { config: join(root, "config"), state: join(root, "state"), run: join(root, "run") };
const backup = join(root, "backup.tar.gz");

const at = (...parts: readonly string[]): string => join(root, ...parts);
const make = (path = backup) => backUp({ folders, path, version: VERSION, nowMs: NOW_MS });
const restore = (path = backup, dryRun = false) =>
  restoreBackup({ folders, path, version: VERSION, dryRun, nowMs: NOW_MS });

/** Every file below the two folders with what is in it; the moving parts of SQLite aside. */
function tree(): Record<string, string> {
  const files = ["config", "state"].flatMap((folder) =>
    readdirSync(at(folder), { recursive: true, withFileTypes: true }),
  );
  return Object.fromEntries(
    files
      .filter((entry) => !entry.isDirectory() && !/events\.db-/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [relative(root, path), hashOf(readFileSync(path))]),
  );
}

const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Configuration and state of an installation that says `word` everywhere. */
function fill(word: string): void {
  for (const folder of ["config", "state"]) rmSync(at(folder), { recursive: true, force: true });
  for (const folder of ["config/policy.d", "config/sets", "state/audit"])
    mkdirSync(at(folder), { recursive: true });
  writeFileSync(at("config/policy.yaml"), `version: 1 # ${word}\n`, { mode: 0o644 });
  writeFileSync(at("config/policy.d/10-team.yaml"), `# ${word}\n`);
  writeFileSync(at("config/sets/bad.txt"), `192.0.2.0/24 # ${word}\n`);
  writeFileSync(at("config/.editor-state"), word);
  const texts = { text: `version: 1 # ${word}\n`, dropIns: [{ file: "policy.d/10-team.yaml", text: word }] };
  writeHistory(folders.state, { ...ENTRY, by: word, sha256: policyHash(texts) }, texts);
  writeFileSync(at("state/init.json"), `{"version":1,"policies":[],"proxies":[],"x":"${word}"}`);
  writeFileSync(at("state/audit/20261120T000000.000Z.json"), `{"taken":"${word}"}`);
  writeFileSync(at("state/landmark.json"), word);
  const store = openStore(folders.state);
  assert.equal(createEventWriter(store).append([flowEvent({ rule: word })]), null);
  closeStore(store);
}

const ENTRY = {
  id: 1,
  generation: 1,
  proposedMs: 1,
  confirmedMs: 2,
  policyPath: "/etc/seawall/policy.yaml",
  mode: { inbound: "enforce", outbound: "observe" },
  objects: [],
  elements: 0,
  dropIns: ["policy.d/10-team.yaml"],
};

function rules(): (string | null)[] {
  const store = openStoreReadOnly(folders.state);
  assert.ok(store !== undefined);
  const found = listFlows(store, {}).map(({ rule }) => rule);
  closeStore(store);
  return found;
}

beforeEach(() => {
  fill("before");
  rmSync(backup, { force: true });
});

describe("a backup", () => {
  test("brings back configuration, history, audits, init and events; the former files are kept", async () => {
    await make();
    const wanted = tree();
    fill("later");
    writeFileSync(at("config/policy.d/20-later.yaml"), "later");
    const { former } = await restore();
    const now = tree();
    const own = Object.entries(now).filter(([path]) => !path.includes("before-restore-"));
    const isOwn = (path: string) => !/landmark|editor-state|events\.db/.test(path);
    assert.deepEqual(
      Object.fromEntries(own.filter(([path]) => isOwn(path))),
      Object.fromEntries(Object.entries(wanted).filter(([path]) => isOwn(path))),
    );
    assert.deepEqual(rules(), ["before"]);
    assert.equal(
      readFileSync(at("state/landmark.json"), "utf8"),
      "later",
      "what is true of this kernel stays",
    );
    assert.equal(former.length, 2);
    const kept = former.map((folder) => readdirSync(folder).sort());
    assert.deepEqual(kept[0]?.slice(0, 2), ["audit", "events.db"]);
    assert.deepEqual(kept[1], ["policy.d", "policy.yaml", "sets"]);
    assert.equal(statSync(at("config/policy.yaml")).mode & 0o777, 0o644);
    assert.equal(statSync(at("state/events.db")).mode & 0o777, 0o600);
    assert.deepEqual(
      readdirSync(folders.state).filter((name) => name.startsWith(".")),
      [],
    );
  });

  test("is a file that only root reads, that tar(1) understands, and that replaces nothing", async () => {
    const { files } = await make();
    assert.equal(statSync(backup).mode & 0o777, 0o600);
    const listed = execFileSync("tar", ["tzf", backup], { encoding: "utf8" }).trim().split("\n");
    assert.deepEqual(listed, ["manifest.json", ...files.map(({ path }) => path)]);
    assert.ok(!listed.some((path) => /landmark|editor/.test(path)));
    await assert.rejects(make(), { code: "SEAWALL_BACKUP", message: /is there already/ });
    writeFileSync(at("other"), "other");
    symlinkSync(at("other"), at("link"));
    await assert.rejects(make(at("link")), { code: "SEAWALL_BACKUP" });
    assert.equal(readFileSync(at("other"), "utf8"), "other");
    rmSync(at("link"));
  });

  test("taken while events are written is consistent: whole batches, in order", async () => {
    const store = openStore(folders.state);
    const writer = createEventWriter(store);
    let batches = 0;
    const write = (): void => {
      const first = 10_000 + batches * 10;
      const events = Array.from({ length: 10 }, (_, more) => flowEvent({ timeMs: first + more }));
      assert.equal(writer.append(events), null);
      batches += 1;
    };
    write();
    const timer = setInterval(write, 1);
    await make();
    clearInterval(timer);
    closeStore(store);
    await restore();
    const restored = openStoreReadOnly(folders.state);
    assert.ok(restored !== undefined);
    const times = listFlows(restored, { sinceMs: 10_000 }).map(({ timeMs }) => timeMs);
    closeStore(restored);
    assert.ok(times.length >= 10 && times.length % 10 === 0, String(times.length));
    assert.ok(times.every((time, index) => time === 10_000 + index));
  });

  test("restored under a running recorder is where it goes on, and the old events are kept", async () => {
    await make();
    const said: string[] = [];
    const recorder = createRecorder({
      stateDir: folders.state,
      now: () => NOW_MS,
      retention: { ageDaysMax: 1e6, sizeMebibytesMax: 512 },
      say: (text) => said.push(text),
    });
    recorder.add(flowEvent({ rule: "recorded" }));
    recorder.tick();
    const { former } = await restore();
    recorder.add(flowEvent({ rule: "after" }));
    recorder.tick();
    recorder.stop();
    assert.deepEqual(rules(), ["before", "after"]);
    assert.match(said.join(), /replaced by another/);
    const kept = openStore(former[0] ?? "");
    assert.deepEqual(
      listFlows(kept, {}).map(({ rule }) => rule),
      ["before", "recorded"],
    );
    closeStore(kept);
  });

  test("looked at with --dry-run changes nothing", async () => {
    await make();
    fill("later");
    const now = tree();
    const { manifest, former } = await restore(backup, true);
    assert.equal(manifest.files.length, 9);
    assert.deepEqual(former, []);
    assert.deepEqual(tree(), now);
  });

  test("without events leaves those that are there", async () => {
    rmSync(at("state/events.db"));
    await make();
    fill("later");
    await restore();
    assert.deepEqual(rules(), ["later"]);
    assert.match(readFileSync(at("config/policy.yaml"), "utf8"), /before/);
  });

  test("keeps what it can when the events are damaged, and says so", async () => {
    writeFileSync(at("state/events.db"), "x".repeat(8_192));
    const { files, omitted } = await make();
    assert.equal(files.length, 8);
    assert.match(omitted.join(), /the events: .*damaged/);
  });

  test("says what it does not keep: a link may lead anywhere", async () => {
    symlinkSync("/etc/shadow", at("config/policy.d/99-link.yaml"));
    const { files, omitted } = await make();
    assert.ok(!files.some(({ path }) => path.includes("99-link")));
    assert.match(omitted.join(), /99-link\.yaml: it is no regular file/);
  });
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

describe("a restore", () => {
  test("whose moves fail in the middle puts back what it had moved", () => {
    const now = tree();
    assert.throws(
      () =>
        makeMoves(folders.state, [
          { from: at("config/policy.yaml"), to: at("config/moved") },
          { from: at("state/init.json"), to: at("state/moved") },
          { from: at("config/nowhere"), to: at("config/policy.yaml") },
        ]),
      { code: "SEAWALL_STATE", still: "everything is where it was" },
    );
    assert.deepEqual(tree(), now);
    assert.equal(undoMoves(folders.state), false);
  });

  test("that ends between any two of its moves is taken back whole", () => {
    const now = tree();
    const names = ["config/policy.yaml", "config/policy.d", "state/init.json", "state/history"];
    for (const folder of ["config/new", "state/new", "config/former", "state/former"])
      mkdirSync(at(folder), { recursive: true });
    const moves = names.flatMap((name) => {
      const [folder = "", own = ""] = name.split("/");
      writeFileSync(at(folder, "new", own), "new");
      return [
        { from: at(name), to: at(folder, "former", own) },
        { from: at(folder, "new", own), to: at(name) },
      ];
    });
    for (let done = 0; done <= moves.length; done += 1) {
      writeFileSync(at("state/restore.journal"), JSON.stringify(moves));
      for (const { from, to } of moves.slice(0, done)) renameSync(from, to);
      assert.equal(undoMoves(folders.state), true);
      const own = Object.entries(tree()).filter(([path]) => !path.includes("/new/"));
      assert.deepEqual(Object.fromEntries(own), now, `after ${done} moves`);
    }
  });

  test("that is killed at any moment leaves the old or the new, never a part of one", async () => {
    await make();
    const env = {
      ...process.env,
      SEAWALL_CONFIG_DIR: folders.config,
      SEAWALL_STATE_DIR: folders.state,
      SEAWALL_RUN_DIR: folders.run,
    };
    const run = async (killAfterMs: number): Promise<void> => {
      const child = spawn(process.execPath, [MAIN, "restore", backup], { env, stdio: "ignore" });
      const ended = new Promise((resolve) => child.once("close", resolve));
      await Promise.race([ended, sleep(killAfterMs)]);
      child.kill("SIGKILL");
      await ended;
    };
    fill("later");
    const began = performance.now();
    await run(RUN_DEADLINE_MS);
    const wholeMs = performance.now() - began;
    assert.deepEqual(rules(), ["before"]);
    for (let round = 0; round < 20; round += 1) {
      fill("later");
      await run(wholeMs * (0.5 + round / 35));
      undoMoves(folders.state);
      const words = [
        readFileSync(at("config/policy.yaml"), "utf8"),
        readFileSync(at("config/policy.d/10-team.yaml"), "utf8"),
        readFileSync(at("state/history/000001.json"), "utf8"),
        readFileSync(at("state/init.json"), "utf8"),
        rules().join(),
      ].map((text) => /before|later/.exec(text)?.[0]);
      assert.equal(new Set(words).size, 1, `round ${round}: ${words.join()}`);
    }
    fill("later");
    await restore();
    assert.deepEqual(
      [folders.state, folders.config].flatMap((folder) =>
        readdirSync(folder).filter((name) => /^\.res/.test(name)),
      ),
      [],
    );
    assert.ok(lstatSync(at("state/events.db")).isFile());
  });
});
