/** What the audit keeps: its own results, and answers of OpenClaw's slow commands. Nothing else is written. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AuditRecord } from "../../core/audit/difference.ts";
import { namesIn, ownStateAt, readText } from "./file.ts";
import type { AnswerCache } from "./openclaw-cli.ts";

/** LIMIT: audits that are kept, and answers. */
const RECORDS_MAX = 60;
const ANSWERS_MAX = 60;
const RECORD_NAME = /^\d{8}T\d{6}\.\d{3}Z\.json$/;

/** Keeps one audit. Returns whether it could be written: an audit without root keeps nothing. */
export function keepRecord(stateFolder: string, record: AuditRecord): boolean {
  const folder = join(stateFolder, "audit");
  const name = `${record.taken.replaceAll(/[-:]/g, "")}.json`;
  if (!write(folder, name, JSON.stringify(record))) return false;
  for (const old of recordNames(stateFolder).slice(0, -RECORDS_MAX))
    rmSync(join(folder, old), { force: true });
  return true;
}

/** Returns the names of what was kept, the oldest first. */
export function recordNames(stateFolder: string): string[] {
  return namesIn(join(stateFolder, "audit")).filter((name) => RECORD_NAME.test(name));
}

/** Returns one audit that was kept, or undefined when it is not there or not one. */
export function readRecord(stateFolder: string, name: string): AuditRecord | undefined {
  if (!RECORD_NAME.test(name)) return undefined;
  const content = readText(join(stateFolder, "audit", name));
  if (content.kind !== "text") return undefined;
  try {
    const value = JSON.parse(content.text) as Partial<AuditRecord>;
    return typeof value.taken === "string" && Array.isArray(value.findings)
      ? (value as AuditRecord)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Returns a cache in the state folder; one that cannot be written only forgets. */
export function openAnswers(stateFolder: string, mayWrite: boolean): AnswerCache {
  const folder = join(stateFolder, "audit", "openclaw");
  return {
    get: (key) => {
      const content = readText(join(folder, `${key}.json`));
      // SECURITY: only what we wrote ourselves is believed.
      return content.kind === "text" && content.state.uid === (process.geteuid?.() ?? 0)
        ? content.text
        : undefined;
    },
    put: (key, text) => {
      if (!mayWrite || !write(folder, `${key}.json`, text)) return;
      const names = namesIn(folder).toSorted(
        (left, right) =>
          (ownStateAt(join(folder, left))?.mtimeMs ?? 0) - (ownStateAt(join(folder, right))?.mtimeMs ?? 0),
      );
      for (const old of names.slice(0, -ANSWERS_MAX)) rmSync(join(folder, old), { force: true });
    },
  };
}

function write(folder: string, name: string, text: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, name);
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
    return true;
  } catch {
    return false;
  }
}
