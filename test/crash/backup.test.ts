// A backup holds what was there, also while events are written; a restore is all or nothing, whenever the process ends.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createRecorder } from "../../src/daemon/event-recorder.ts";
import { makeMoves, undoMoves } from "../../src/edge/state/swap.ts";
import { closeStore, openStore, openStoreReadOnly } from "../../src/edge/store/database.ts";
import { createEventWriter } from "../../src/edge/store/event-store.ts";
import { listFlows } from "../../src/edge/store/flow-query.ts";
import { flowEvent } from "../support/event.ts";
import { at, backup, fill, folders, make, NOW_MS, restore, rules, tree } from "./installation.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const RUN_DEADLINE_MS = 20_000;

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
        readdirSync(folder).filter((name) => name.startsWith(".res")),
      ),
      [],
    );
    assert.ok(lstatSync(at("state/events.db")).isFile());
  });
});
