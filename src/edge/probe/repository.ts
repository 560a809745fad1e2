/** Git repositories in the agent's folders, asked as their owner: a repository may name programs to run. */
import { join } from "node:path";
import type { Account } from "../../core/audit/fact/listener.ts";
import type { Repository, SecretHit } from "../../core/audit/fact/secret.ts";
import { secretIn, secretsInText } from "../../core/audit/read/secret-rule.ts";
import { type Reading, read, unreadable } from "../../core/audit/reading.ts";
import { type Answer, findProgram } from "../host/command.ts";
import { mayRunAs, runAs } from "../host/stranger.ts";
import { writableBy } from "../host/writable-by.ts";
import { ask, inTurns } from "./ask.ts";
import { namesIn, ownStateAt } from "./file.ts";
import type { Place } from "./openclaw-place.ts";

/** LIMIT: repositories, and commits of each, and time for one question. */
const REPOSITORIES_MAX = 12;
const COMMITS_MAX = 2_000;
const DEADLINE_MS = 8_000;
const AT_ONCE = 4;

export async function readRepositories(
  folders: readonly string[],
  places: readonly Place[],
  accounts: readonly Account[],
): Promise<Reading<readonly Repository[]>> {
  const found = [
    ...new Set(folders.flatMap((folder) => [folder, ...namesIn(folder).map((name) => join(folder, name))])),
  ]
    .filter((path) => ownStateAt(join(path, ".git")) !== undefined)
    .slice(0, REPOSITORIES_MAX);
  if (found.length === 0) return read([]);
  if (findProgram("git") === undefined)
    return unreadable("git is not installed, so the history cannot be read", "apt-get install git");
  const repositories = await Promise.all(found.map((path) => readRepository(path, places, accounts)));
  const known = repositories.filter((repository) => repository !== undefined);
  if (known.length < found.length)
    return unreadable(
      "git refuses to read a repository of another user",
      "sudo seawall audit --layer secrets",
    );
  return read(known);
}

type Git = (args: readonly string[]) => Promise<Answer | undefined>;

async function readRepository(
  path: string,
  places: readonly Place[],
  accounts: readonly Account[],
): Promise<Repository | undefined> {
  const git = gitIn(path, places, accounts);
  if (git === undefined) return undefined;
  const shown = ["--no-color", "--no-ext-diff", "--no-textconv", "--unified=0", "--format=commit %h"];
  const [tracked, log, count] = await Promise.all([
    git(["ls-files", "-z"]),
    git(["log", "--all", "-p", ...shown, `--max-count=${COMMITS_MAX}`]),
    git(["rev-list", "--all", "--count"]),
  ]);
  if (tracked?.status !== 0) return undefined;
  const names = tracked.stdout.split("\0").filter((name) => name !== "");
  const envs = [...new Set([...names, ...namesIn(path)])].filter(isEnvFile);
  const ignored = await inTurns(
    envs,
    AT_ONCE,
    async (name) => (await git(["check-ignore", "-q", "--", name]))?.status === 0,
  );
  const total = Number(count?.stdout ?? 0) || 0;
  return {
    path,
    hits: hitsOfLog(log?.stdout ?? ""),
    unignored: envs.filter((name, index) => names.includes(name) || ignored[index] !== true),
    hasEnv: envs.length > 0,
    commits: Math.min(total, COMMITS_MAX),
    complete: (log?.status === 0 || total === 0) && total <= COMMITS_MAX,
  };
}

function isEnvFile(name: string): boolean {
  return /(^|\/)\.env(\.[A-Za-z0-9_-]+)?$/.test(name) && !/example|sample|template/.test(name);
}

/**
 * SECURITY: git follows what a repository's own configuration says, so it runs as whoever owns it: as root only where
 * nobody else can write that configuration.
 */
function gitIn(path: string, places: readonly Place[], accounts: readonly Account[]): Git | undefined {
  const us = process.geteuid?.() ?? 0;
  const owners = [path, join(path, ".git")].map((one) => ownStateAt(one)?.uid ?? 0);
  const uid = owners.find((owner) => owner !== 0) ?? 0;
  const asked = [join(path, ".git"), join(path, ".git", "config")].filter(
    (one) => ownStateAt(one) !== undefined,
  );
  if (uid === 0 && us === 0 && asked.some((one) => writableBy(one, new Set([0])) !== null)) return undefined;
  if (us !== 0 && us !== uid && !places.some((place) => place.uid === uid)) return undefined;
  const gid = accounts.find((account) => account.uid === uid)?.gid ?? uid;
  return (args) =>
    askAs(uid, gid, ["-c", "core.fsmonitor=false", "-c", "core.pager=cat", "-C", path, ...args]);
}

function askAs(uid: number, gid: number, args: readonly string[]): Promise<Answer | undefined> {
  const env = {
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    // What a partial clone lacks is fetched by a program that its configuration names.
    GIT_NO_LAZY_FETCH: "1",
    HOME: "/nonexistent",
    GIT_OPTIONAL_LOCKS: "0",
  };
  const question = { env, deadlineMs: DEADLINE_MS };
  if (!mayRunAs(uid)) return ask("git", args, question);
  return runAs({ uid, gid }, ["git", ...args], question).catch(() => undefined);
}

/** Lines that a commit added, with the commit and the file. */
function hitsOfLog(text: string): SecretHit[] {
  const hits = new Map<string, SecretHit>();
  let [commit, file] = ["", ""];
  for (const line of text.split("\n")) {
    if (line.startsWith("commit ")) commit = line.slice("commit ".length);
    else if (line.startsWith("+++ ")) file = line.replace(/^\+\+\+ (b\/)?/, "");
    else if (line.startsWith("+")) {
      const rule = secretIn(line) ?? secretsInText(line.slice(1))[0]?.rule ?? null;
      if (rule !== null) hits.set(`${commit} ${file} ${rule}`, { place: `commit ${commit} ${file}`, rule });
    }
    if (hits.size >= HITS_MAX) break;
  }
  return [...hits.values()];
}

const HITS_MAX = 50;
