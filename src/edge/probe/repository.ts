/** Git repositories in the agent's folders, asked as their owner: a repository may name programs to run. */
import { join } from "node:path";
import type { Account } from "../../core/audit/fact/listener.ts";
import type { Repository, SecretHit } from "../../core/audit/fact/secret.ts";
import { secretIn, secretsInText } from "../../core/audit/read/secret-rule.ts";
import { type Reading, read, unreadable } from "../../core/audit/reading.ts";
import { findProgram } from "../host/command.ts";
import { type Answer, ask } from "./ask.ts";
import { namesIn, ownStateAt, stateAt } from "./file.ts";
import type { Place } from "./openclaw-place.ts";

/** LIMIT: repositories, and commits of each, and time for one question. */
const REPOSITORIES_MAX = 12;
const COMMITS_MAX = 2_000;
const DEADLINE_MS = 8_000;

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

async function readRepository(
  path: string,
  places: readonly Place[],
  accounts: readonly Account[],
): Promise<Repository | undefined> {
  const uid = stateAt(path)?.uid ?? 0;
  const gid = accounts.find((account) => account.uid === uid)?.gid ?? uid;
  // SECURITY: as the owner of the folder, never as root in a folder that somebody else owns.
  const git = (args: readonly string[]): Promise<Answer | undefined> =>
    askAs(uid, gid, ["-c", "core.fsmonitor=false", "-c", "core.pager=cat", "-C", path, ...args]);
  const isOurs =
    places.some((place) => place.uid === uid) || uid === process.geteuid?.() || process.geteuid?.() === 0;
  if (!isOurs) return undefined;
  const [tracked, log, count] = await Promise.all([
    git(["ls-files", "-z"]),
    git([
      "log",
      "--all",
      "-p",
      "--no-color",
      "--no-ext-diff",
      "--no-textconv",
      "--unified=0",
      `--max-count=${COMMITS_MAX}`,
      "--format=commit %h",
    ]),
    git(["rev-list", "--all", "--count"]),
  ]);
  if (tracked?.status !== 0) return undefined;
  const names = tracked.stdout.split("\0").filter((name) => name !== "");
  const envs = [...new Set([...names, ...namesIn(path)])].filter(
    (name) => /(^|\/)\.env(\.[A-Za-z0-9_-]+)?$/.test(name) && !/example|sample|template/.test(name),
  );
  const ignored = new Set(
    (
      await Promise.all(
        envs.map(async (name) =>
          (await git(["check-ignore", "-q", "--", name]))?.status === 0 ? [name] : [],
        ),
      )
    ).flat(),
  );
  const total = Number(count?.stdout ?? 0) || 0;
  return {
    path,
    hits: hitsOfLog(log?.stdout ?? ""),
    unignored: envs.filter((name) => names.includes(name) || !ignored.has(name)),
    hasEnv: envs.length > 0,
    commits: Math.min(total, COMMITS_MAX),
    complete: (log?.status === 0 || total === 0) && total <= COMMITS_MAX,
  };
}

function askAs(uid: number, gid: number, args: readonly string[]): Promise<Answer | undefined> {
  const env = {
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    HOME: "/nonexistent",
    GIT_OPTIONAL_LOCKS: "0",
  };
  const question = { env, deadlineMs: DEADLINE_MS };
  if (process.geteuid?.() !== 0 || uid === 0) return ask("git", args, question);
  return ask(
    "setpriv",
    [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--no-new-privs", "--", "/usr/bin/git", ...args],
    question,
  );
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
