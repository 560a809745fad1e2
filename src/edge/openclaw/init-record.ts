/** What `seawall init` changed, so that `seawall init --undo` can take exactly that back. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { shellWord } from "../../core/base/shell-word.ts";
import { SeawallError } from "../../core/base/error.ts";

const FILE = "init.json";

const schema = z.strictObject({
  version: z.literal(1),
  /** The policies that were written, and their content then. */
  policies: z.array(z.strictObject({ path: z.string(), sha256: z.string() })),
  /** The instances whose proxy was set; they had none before. */
  proxies: z.array(z.strictObject({ configPath: z.string(), uid: z.number() })),
});

export type InitRecord = z.infer<typeof schema>;

const NOTHING: InitRecord = { version: 1, policies: [], proxies: [] };

/** Returns what was recorded in the state folder; nothing when there is no record. Refuses a strange one. */
export function readInitRecord(stateFolder: string): InitRecord {
  let text: string;
  try {
    text = readFileSync(join(stateFolder, FILE), "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return NOTHING;
    throw unusable(stateFolder, cause);
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw unusable(stateFolder, cause);
  }
}

/** Replaces the record; an empty one is removed. */
export function writeInitRecord(stateFolder: string, record: InitRecord): void {
  const path = join(stateFolder, FILE);
  try {
    if (record.policies.length === 0 && record.proxies.length === 0) {
      rmSync(path, { force: true });
      return;
    }
    mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
    writeFileSync(`${path}.new`, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600, flush: true });
    renameSync(`${path}.new`, path);
  } catch (cause) {
    throw unusable(stateFolder, cause);
  }
}

export function sha256Of(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function unusable(stateFolder: string, cause: unknown): SeawallError {
  return new SeawallError("SEAWALL_STATE", `the record \`${join(stateFolder, FILE)}\` cannot be used`, {
    still: "the policy and OpenClaw's configuration are as they were",
    help: `ls -l ${shellWord(stateFolder)}`,
    cause,
  });
}
