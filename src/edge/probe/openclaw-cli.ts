/** What OpenClaw's own commands say, kept while configuration and program are the same. */
import { createHash } from "node:crypto";
import type { Account } from "../../core/audit/fact/listener.ts";
import { type Reading, read, unreadable } from "../../core/audit/reading.ts";
import { shellWord } from "../../core/base/shell-word.ts";
import type { Answer } from "../host/command.ts";
import { findOpenclaw, type Installation, type Program, runOpenclaw } from "../openclaw/program.ts";
import { readText, stateAt } from "./file.ts";
import type { Place } from "./openclaw-place.ts";

/** Answers of earlier audits; a place of Seawall's own. */
export interface AnswerCache {
  readonly get: (key: string) => string | undefined;
  readonly put: (key: string, text: string) => void;
}

const DEADLINE_MS = 60_000;

/** Returns the program of an instance, or why it is not run. */
export function findCli(place: Place): Reading<Program> {
  return findOpenclaw(installationOf(place, undefined));
}

function installationOf(place: Place, account: Account | undefined): Installation {
  const { uid, user, home, pid, configPath, stateFolder, environment, profile } = place;
  return {
    uid,
    gid: account?.gid ?? uid,
    user,
    home,
    pid,
    elsewhere: elsewhere(place),
    configPath,
    stateFolder,
    variables: profile === null ? environment : new Map([...environment, ["OPENCLAW_PROFILE", profile]]),
  };
}

function elsewhere({ container, root, pid }: Place): Installation["elsewhere"] {
  if (container !== null)
    return {
      why: "it runs in a container; its program is asked from inside only",
      needs: "docker exec CONTAINER openclaw security audit",
    };
  if (root === "") return null;
  return {
    why: "it sees other files than this host's; its program is asked from inside only",
    needs: `nsenter -t ${pid ?? 0} -m -n seawall audit`,
  };
}

/** Asks a command of OpenClaw as its owner; what it says is kept until configuration or program change. */
export async function askOpenclaw(
  place: Place,
  program: Program,
  account: Account | undefined,
  args: readonly string[],
  cache: AnswerCache,
  quick: boolean,
): Promise<Reading<Answer>> {
  const key = cacheKey(place, program, args);
  const kept = cache.get(key);
  if (kept !== undefined) return read({ status: 0, stdout: kept, stderr: "", cut: null });
  if (quick) return unreadable("OpenClaw's own commands were not run (--quick)", "seawall audit");
  const answer = await runOpenclaw(installationOf(place, account), program, args, DEADLINE_MS);
  if (answer.kind !== "read") return answer;
  const { cut, stdout } = answer.value;
  if (cut !== null)
    return unreadable(
      `openclaw ${args.join(" ")} was ended: ${cut}`,
      `openclaw ${args.map(shellWord).join(" ")}`,
    );
  if (stdout.trim() !== "") cache.put(key, stdout);
  return answer;
}

function cacheKey(place: Place, program: Program, args: readonly string[]): string {
  const config = place.configPath === null ? undefined : readText(place.configPath, { follow: true });
  const text = config?.kind === "text" ? config.text : "";
  const state = place.stateFolder === null ? undefined : stateAt(place.stateFolder);
  const times = [program.script, place.configPath ?? ""].map((path) => stateAt(path)?.mtimeMs ?? 0);
  return createHash("sha256")
    .update(JSON.stringify([place.stateFolder, place.uid, state?.mode, args, text, times]))
    .digest("hex")
    .slice(0, 32);
}
