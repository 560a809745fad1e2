/** What a bug report needs of this machine. Environment, OpenClaw's configuration and the flows are never read for it. */
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statfsSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { createRedactor, type Redactor, withoutSecrets } from "../core/support/redact.ts";
import { policyNames } from "../core/support/names.ts";
import { journalLines, machineVersions, personNames } from "../edge/host/machine.ts";
import { readDropIns, readPolicyText } from "../edge/host/policy-file.ts";
import { ownTable } from "../edge/kernel/nft.ts";
import { readRecord, recordNames } from "../edge/probe/audit-store.ts";
import type { Folders } from "../edge/state/folder.ts";
import { readHistory } from "../edge/state/history.ts";
import { replaceFile } from "../edge/state/replace-file.ts";
import { summariseStore } from "../edge/store/summary.ts";
import { readStatus } from "./status.ts";

export interface SupportRequest {
  readonly folders: Folders;
  readonly policyPath: string;
  readonly version: string;
  readonly nowMs: number;
  /** False for the owner's own use: names and addresses stay as they are. */
  readonly redact: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface SupportPart {
  readonly path: string;
  readonly text: string;
  /** What it is, in a few words. */
  readonly what: string;
}

/** Returns the parts of the bundle, in order. What cannot be had is said in its part. Changes nothing. */
export function supportParts(request: SupportRequest): SupportPart[] {
  const documents = policyDocuments(request.policyPath);
  const redactor = request.redact ? redactorFor(request.folders, documents) : null;
  const parts = partsOf(request, documents, redactor);
  const safe = parts.map((part) => ({ ...part, text: withoutSecrets(part.text, request.env) }));
  const readme = safe.map(({ path, what }) => `${path}  ${what}`).join("\n");
  return [
    { path: "README.txt", text: `${noteOf(request)}\n\n${readme}\n`, what: "what is in here" },
    ...safe,
  ];
}

function noteOf({ redact, version, nowMs }: SupportRequest): string {
  const how = redact
    ? "Names and addresses are replaced by tokens, the same for the same input; comments and reasons are left out."
    : "Names and addresses are NOT replaced (--no-redact): keep this to yourself.";
  return `Seawall ${version}, ${new Date(nowMs).toISOString()}\n${how}`;
}

function partsOf(
  request: SupportRequest,
  documents: readonly Document[],
  redactor: Redactor | null,
): SupportPart[] {
  const { folders, version, nowMs } = request;
  const { state } = folders;
  const strict = (value: string): string => redactor?.strict(value) ?? value;
  const prose = (value: string): string => redactor?.prose(value) ?? value;
  const facts = (path: string, what: string, read: () => unknown): SupportPart => {
    const found = attempt(read);
    return { path, what, text: jsonText(redactor === null ? found : redactor.value(found, "prose")) };
  };
  const policy = documents.map(({ file, content }) => ({
    file: strict(file),
    content: redactor === null ? content : redactor.value(content, "strict"),
  }));
  const table = textOf(() => ownTable() ?? "nothing of Seawall is in the kernel");
  const log = textOf(() => journalLines()?.join("\n") ?? "there is no journal of systemd here");
  return [
    { path: "versions.json", what: "versions", text: jsonText({ seawall: version, ...machineVersions() }) },
    facts("status.json", "seawall status", () => readStatus(folders, nowMs)),
    { path: "policy.json", what: "the policy, without its comments", text: jsonText(policy) },
    { path: "table.txt", what: "our table and its counters", text: strict(table) },
    facts("history.json", "policies applied", () => historyOf(state)),
    facts("store.json", "what is recorded", () => storeOf(state)),
    facts("audit.json", "the last audit", () => auditOf(state)),
    { path: "seawalld.log", what: "the last lines of seawalld", text: prose(log) },
  ];
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}

function textOf(read: () => string): string {
  const found = attempt(read);
  return `${typeof found === "string" ? found : found.failed}\n`;
}

interface Document {
  readonly file: string;
  readonly content: unknown;
}

/** Comments go with the reading; a file that is no YAML is only named. */
function policyDocuments(path: string): Document[] {
  const read = (file: string, text: string): Document => {
    try {
      return { file, content: parse(text, { maxAliasCount: 0 }) };
    } catch {
      return { file, content: { unreadable: true, bytes: text.length } };
    }
  };
  const files = attempt(() => [
    { file: "policy.yaml", text: readPolicyText(path) },
    ...readDropIns(path).dropIns,
  ]);
  return Array.isArray(files)
    ? files.map(({ file, text }) => read(file, text))
    : [{ file: "none", content: null }];
}

function redactorFor(folders: Folders, documents: readonly Document[]): Redactor {
  const applied = attempt(() => readHistory(folders.state).map(({ by }) => by));
  const privateWords = [
    hostname(),
    ...hostname().split("."),
    ...personNames(),
    ...documents.flatMap(({ content }) => policyNames(content)),
    ...(Array.isArray(applied) ? applied : []),
  ].filter((word) => word.length > 1 && word !== "root" && word !== "localhost");
  return createRedactor({ key: keyOf(folders.state), privateWords });
}

const KEY_FILE = "redaction.key";
const KEY_BYTES = 32;

/** One key for this machine, so that two bundles of it can be compared. Where it cannot be kept it is for this one. */
function keyOf(state: string): Uint8Array {
  const path = join(state, KEY_FILE);
  try {
    const key = readFileSync(path);
    if (key.length === KEY_BYTES) return key;
  } catch {
    // There is none yet.
  }
  const key = randomBytes(KEY_BYTES);
  try {
    replaceFile(path, key);
  } catch {
    // It stays with this bundle.
  }
  return key;
}

function historyOf(state: string): unknown {
  return readHistory(state).map(({ objects, dropIns, ...entry }) => ({
    ...entry,
    objects: objects.length,
    dropIns: dropIns?.length ?? 0,
  }));
}

function storeOf(state: string): unknown {
  const { bavail, bsize, blocks } = statfsSync(state);
  const files = readdirSync(state)
    .filter((name) => name.startsWith("events.db"))
    .map((name) => ({ name, bytes: statSync(join(state, name)).size }));
  return {
    disk: {
      freeMebibytes: Math.floor((bavail * bsize) / 1_048_576),
      mebibytes: Math.floor((blocks * bsize) / 1_048_576),
    },
    files,
    events: attempt(() => summariseStore(state)),
  };
}

/** Which checks failed, without what they found. */
function auditOf(state: string): unknown {
  const name = recordNames(state).at(-1);
  const record = name === undefined ? undefined : readRecord(state, name);
  if (record === undefined) return null;
  const findings = record.findings.map(({ id, status, severity }) => ({ id, status, severity }));
  const failed = findings.filter(({ status }) => status !== "pass" && status !== "not-applicable");
  return { taken: record.taken, score: record.score, checks: findings.length, failed };
}

/** What cannot be had is part of the report, too. */
function attempt<Value>(work: () => Value): Value | { readonly failed: string } {
  try {
    return work();
  } catch (cause) {
    return { failed: cause instanceof Error ? cause.message : String(cause) };
  }
}
