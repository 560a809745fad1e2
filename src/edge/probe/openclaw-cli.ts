/** OpenClaw's own commands, run as the agent's user, kept while configuration and program are the same. */
import { shellWord } from "../../core/base/shell-word.ts";
import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { dirname } from "node:path";
import { type Reading, read, unreadable } from "../../core/audit/reading.ts";
import type { Account } from "../../core/audit/fact/listener.ts";
import { type Answer, ask } from "./ask.ts";
import { readText, stateAt } from "./file.ts";
import type { Place } from "./openclaw-place.ts";

/** Answers of earlier audits; a place of Seawall's own. */
export interface AnswerCache {
  readonly get: (key: string) => string | undefined;
  readonly put: (key: string, text: string) => void;
}

export interface Cli {
  readonly node: string;
  readonly script: string;
  /** Whether it is a script of a shell that starts the program itself, as version managers and installers write. */
  readonly isWrapper: boolean;
}

const DEADLINE_MS = 60_000;
/** Where npm, Debian packages and installers of OpenClaw put it; below a home too. */
const SCRIPTS = ["/usr/bin/openclaw", "/usr/local/bin/openclaw", "/opt/openclaw/bin/openclaw"];
const SCRIPTS_IN_HOME = [
  ".npm-global/bin/openclaw",
  ".local/bin/openclaw",
  "bin/openclaw",
  ".openclaw/bin/openclaw",
  ".volta/bin/openclaw",
];

/** Returns the program of an instance, or why it cannot be run. */
export function findCli(place: Place): Reading<Cli> {
  if (place.container !== null)
    return unreadable(
      "it runs in a container; its program is asked from inside only",
      "docker exec CONTAINER openclaw security audit",
    );
  if (place.root !== "")
    return unreadable(
      "it sees other files than this host's; its program is asked from inside only",
      `nsenter -t ${place.pid ?? 0} -m -n seawall audit`,
    );
  const candidates = [
    ...SCRIPTS,
    ...SCRIPTS_IN_HOME.map((path) => `${place.home}/${path}`),
    ...fromEnvironment(place),
  ];
  const script = candidates.map(real).find((path) => path !== undefined);
  if (script === undefined)
    return unreadable("the openclaw program was not found", "put openclaw into /usr/local/bin");
  // Its own Node while it runs; else ours, which is as new as OpenClaw wants it, and not whatever `node` is here.
  const node = (place.exe === null ? undefined : real(place.exe)) ?? process.execPath;
  // SECURITY: as root we run nothing that somebody else can write; as another user it may be that user's own.
  const owners = new Set([0, place.uid]);
  for (const path of [script, node]) {
    const problem = writableBy(path, owners);
    if (problem !== null)
      return unreadable(`${path} is not run: ${problem}`, `chmod go-w ${shellWord(path)}`);
  }
  return read({ node, script, isWrapper: isWrapper(script) });
}

function isWrapper(script: string): boolean {
  const content = readText(script, { follow: true });
  const first = content.kind === "text" ? (content.text.split("\n", 1)[0] ?? "") : "";
  return first.startsWith("#!") && !/\bnode\b/.test(first);
}

function fromEnvironment(place: Place): string[] {
  return (place.environment.get("PATH") ?? "")
    .split(":")
    .filter((folder) => folder.startsWith("/"))
    .map((folder) => `${folder}/openclaw`);
}

function real(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** Why a file or a folder above it may be changed by somebody who is not among `owners`; null when not. */
export function writableBy(path: string, owners: ReadonlySet<number>): string | null {
  for (let at = path; ; at = dirname(at)) {
    const state = stateAt(at);
    if (state === undefined) return `${at} cannot be seen`;
    if (!owners.has(state.uid)) return `${at} belongs to uid ${state.uid}`;
    // A sticky folder (/tmp) lets nobody replace what belongs to another.
    if ((state.mode & 0o022) !== 0 && (state.mode & 0o1000) === 0) return `others may write ${at}`;
    if (at === "/") return null;
  }
}

/** Runs a command of OpenClaw as its owner; what it says is kept until configuration or program change. */
export async function askOpenclaw(
  place: Place,
  cli: Cli,
  account: Account | undefined,
  args: readonly string[],
  cache: AnswerCache,
  quick: boolean,
): Promise<Reading<Answer>> {
  const key = cacheKey(place, cli, args);
  const kept = cache.get(key);
  if (kept !== undefined) return read({ status: 0, stdout: kept, stderr: "", cut: false });
  if (quick) return unreadable("OpenClaw's own commands were not run (--quick)", "seawall audit");
  const us = process.geteuid?.() ?? 0;
  if (us !== 0 && us !== place.uid)
    return unreadable("only root or its user may run its commands", "sudo seawall audit");
  const answer = await runAs(place, cli, account, args);
  if (answer === undefined) return unreadable("openclaw cannot be started", "openclaw --version");
  if (answer.cut)
    return unreadable(
      `openclaw ${args.join(" ")} took more than ${DEADLINE_MS / 1000} s`,
      `openclaw ${args.map(shellWord).join(" ")}`,
    );
  if (answer.stdout.trim() !== "") cache.put(key, answer.stdout);
  return read(answer);
}

/** SECURITY: as the instance's user and nobody else; root only where the instance itself is root's. */
function runAs(
  place: Place,
  cli: Cli,
  account: Account | undefined,
  args: readonly string[],
): Promise<Answer | undefined> {
  const env = {
    HOME: place.home,
    NO_COLOR: "1",
    CI: "1",
    PATH: `${dirname(cli.node)}:/usr/local/bin:/usr/bin:/bin`,
    ...variables(place),
  };
  const profile = place.profile === null || place.pid !== null ? [] : ["--profile", place.profile];
  const program = cli.isWrapper ? [cli.script] : [cli.node, cli.script];
  const [first = cli.node, ...rest] = [...program, ...profile, ...args];
  const question = { env, deadlineMs: DEADLINE_MS };
  if (process.geteuid?.() !== 0 || place.uid === 0) return ask(first, rest, question);
  const user = [
    `--reuid=${place.uid}`,
    `--regid=${account?.gid ?? place.uid}`,
    "--clear-groups",
    "--no-new-privs",
  ];
  return ask("setpriv", [...user, "--", first, ...rest], question);
}

const PASSED = ["OPENCLAW_STATE_DIR", "OPENCLAW_CONFIG_PATH", "OPENCLAW_HOME", "OPENCLAW_PROFILE"];

function variables(place: Place): Record<string, string> {
  const known = PASSED.flatMap((name) => {
    const value = place.environment.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const idle =
    place.pid === null && place.stateFolder !== null && place.profile === null
      ? [["OPENCLAW_STATE_DIR", place.stateFolder] as const]
      : [];
  return Object.fromEntries([...known, ...idle]);
}

function cacheKey(place: Place, cli: Cli, args: readonly string[]): string {
  const config = place.configPath === null ? undefined : readText(place.configPath, { follow: true });
  const text = config?.kind === "text" ? config.text : "";
  const state = place.stateFolder === null ? undefined : stateAt(place.stateFolder);
  const times = [cli.script, place.configPath ?? ""].map((path) => stateAt(path)?.mtimeMs ?? 0);
  return createHash("sha256")
    .update(JSON.stringify([place.stateFolder, place.uid, state?.mode, args, text, times]))
    .digest("hex")
    .slice(0, 32);
}
