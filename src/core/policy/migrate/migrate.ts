/** A policy file of an older version, or with older spellings, as this version writes it. */
import { assert } from "../../base/assert.ts";
import { type Diagnostic, FILE_START, hasError } from "../../base/diagnostic.ts";
import { type Change, changed, entryOf, lineStart, ONE_BRACKET, onBareText } from "../edit/change.ts";
import { commentsOf, endOfToken, tokenTreeOf } from "../edit/source.ts";
import type { MapEntry } from "../parse/node.ts";
import { versionProblem } from "../parse/section.ts";
import { KEYS_RENAMED, POLICY_VERSION } from "../parse/vocabulary.ts";
import { readYaml } from "../parse/yaml.ts";
import { type KeyPlace, renameKey } from "./rename.ts";
import { type MigrationStep, STEPS } from "./step.ts";

export type Migration =
  | {
      readonly ok: true;
      readonly text: string;
      /** What was done, for a person; empty when the text is as it has to be. */
      readonly done: readonly string[];
    }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** The steps and where they end; another than the product's only to prove the mechanism. */
export interface MigrationPath {
  readonly steps: readonly MigrationStep[];
  readonly version: number;
}

const OURS: MigrationPath = { steps: STEPS, version: POLICY_VERSION };

/**
 * Returns the text in the present version, with every comment, and all lines that nothing concerns, as they
 * were. Refuses broken YAML, a version that is later or no number, and a policy in one bracket. Whether the
 * result is a policy without errors is for the caller to check, together with its drop-ins.
 */
export function migratePolicy(text: string, path: MigrationPath = OURS): Migration {
  const { root, diagnostics } = readYaml(text);
  if (hasError(diagnostics)) return { ok: false, diagnostics };
  if (root === null) return { ok: true, text, done: [] };
  const entry = root.kind === "map" ? root.entries.find(({ key }) => key === "version") : undefined;
  const from = entry === undefined ? 1 : versionOf(entry);
  const problem = entry === undefined ? null : versionProblem(entry.value, path.version);
  if (problem !== null && (from === null || from > path.version))
    return { ok: false, diagnostics: [problem] };
  const done: string[] = [];
  const edited = onBareText(text, (bare) => {
    if (tokenTreeOf(bare)?.type !== "block-map") return { ok: false, diagnostics: [inOneBracket()] };
    return { ok: true, text: migrated(bare, from ?? 1, path, done) };
  });
  if (!edited.ok) return edited;
  assert(commentsOf(edited.text).join("\n") === commentsOf(text).join("\n"), "a migration keeps comments");
  return { ok: true, text: edited.text, done };
}

/** 1 for `1`, `"1"`, `v1` and `1.0`: all of them were meant so. Null for what is no version. */
function versionOf({ value }: MapEntry): number | null {
  if (value.kind !== "scalar") return null;
  const digits = /^v?([1-9][0-9]{0,5})(?:\.0)?$/.exec(value.text)?.[1];
  return digits === undefined ? null : Number(digits);
}

function inOneBracket(): Diagnostic {
  return {
    code: "policy/edit-layout",
    severity: "error",
    message: ONE_BRACKET,
    help: null,
    span: FILE_START,
  };
}

function migrated(bare: string, from: number, path: MigrationPath, done: string[]): string {
  let text = writeVersion(bare, from, done);
  for (const [place, renamed] of Object.entries(KEYS_RENAMED) as [KeyPlace, Record<string, string>][]) {
    for (const [old, now] of Object.entries(renamed)) {
      const changes = renameKey(text, place, old, now);
      if (changes.length > 0) done.push(`\`${old}\` is called \`${now}\``);
      text = changed(text, changes);
    }
  }
  for (let version = from; version < path.version; version += 1) {
    const step = path.steps.find((one) => one.from === version);
    assert(step !== undefined, `there is a step from version ${version}`);
    text = writeVersion(changed(text, step.changes(text)), version + 1, done);
    done.push(step.what);
  }
  return text;
}

/** Writes the number of the version; without one it becomes the first key. */
function writeVersion(text: string, version: number, done: string[]): string {
  const change = versionChange(text, version);
  if (change === null || text.slice(change.start, change.end) === change.put) return text;
  done.push(`the file says \`version: ${version}\``);
  return changed(text, [change]);
}

function versionChange(text: string, version: number): Change | null {
  const value = entryOf(text, "version")?.value;
  if (value !== undefined) return { start: value.offset, end: endOfToken(value), put: `${version}` };
  const root = tokenTreeOf(text);
  if (root?.type !== "block-map") return null;
  const offset = root.items[0]?.key?.offset ?? root.offset;
  const start = lineStart(text, offset);
  return { start, end: start, put: `${text.slice(start, offset)}version: ${version}\n` };
}
