/** An installation in folders of its own, that is backed up, changed and restored. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after } from "node:test";
import { backUp } from "../../src/apply/backup.ts";
import { restoreBackup } from "../../src/apply/restore.ts";
import { policyHash, writeHistory } from "../../src/edge/state/history.ts";
import { closeStore, openStore, openStoreReadOnly } from "../../src/edge/store/database.ts";
import { createEventWriter } from "../../src/edge/store/event-store.ts";
import { listFlows } from "../../src/edge/store/flow-query.ts";
import { flowEvent } from "../support/event.ts";

export const VERSION = "0.1.0";
export const NOW_MS = Date.parse("2026-11-21T12:00:00Z");

export const root = mkdtempSync(join(tmpdir(), "seawall-backup-"));
after(() => rmSync(root, { recursive: true, force: true }));
export const folders = { config: join(root, "config"), state: join(root, "state"), run: join(root, "run") };
export const backup = join(root, "backup.tar.gz");

export const at = (...parts: readonly string[]): string => join(root, ...parts);
export const make = (path = backup) => backUp({ folders, path, version: VERSION, nowMs: NOW_MS });
export const restore = (path = backup, dryRun = false) =>
  restoreBackup({ folders, path, version: VERSION, dryRun, nowMs: NOW_MS });

/** Every file below the two folders with what is in it; the moving parts of SQLite aside. */
export function tree(): Record<string, string> {
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

export const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Configuration and state of an installation that says `word` everywhere. */
export function fill(word: string): void {
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

export function rules(): (string | null)[] {
  const store = openStoreReadOnly(folders.state);
  assert.ok(store !== undefined);
  const found = listFlows(store, {}).map(({ rule }) => rule);
  closeStore(store);
  return found;
}
