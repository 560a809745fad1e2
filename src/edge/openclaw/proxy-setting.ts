/** `proxy.proxyUrl` of OpenClaw: set and taken back by its own `config` commands only, tried first without writing. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FoundInstance } from "./instance.ts";
import { accountOf, type Installation, type Program, runOpenclaw } from "./program.ts";

export type ProxyResult = { readonly ok: true } | { readonly ok: false; readonly problem: string };

/** LIMIT: time for one of its commands. */
const DEADLINE_MS = 120_000;
/** LIMIT: characters of what OpenClaw says that are repeated. */
const SAID_CHARS_MAX = 300;

/**
 * Makes OpenClaw go out by `url`. OpenClaw is first asked whether it would; a refusal leaves its configuration
 * as it is. `change` is called between the two (null: only ask). OpenClaw writes plain JSON: comments in the
 * file are lost, and a running gateway takes the change over by itself.
 */
export async function setProxy(
  instance: FoundInstance,
  program: Program,
  url: string,
  change: (() => void) | null,
): Promise<ProxyResult> {
  // The agent's user must be able to read it, and nobody but us to write it.
  const folder = mkdtempSync(join(tmpdir(), "seawall-init-"));
  try {
    chmodSync(folder, 0o755);
    const patch = join(folder, "proxy.json");
    writeFileSync(patch, `${JSON.stringify({ proxy: { proxyUrl: url } })}\n`, { mode: 0o644 });
    const ask = (mustSayOk: boolean, ...more: readonly string[]) =>
      judged(instance, program, ["config", "patch", "--file", patch, ...more], mustSayOk);
    const tried = await ask(true, "--dry-run", "--json");
    if (!tried.ok || change === null) return tried;
    change();
    return await ask(false);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Takes the proxy out of OpenClaw's configuration. */
export function unsetProxy(instance: FoundInstance, program: Program): Promise<ProxyResult> {
  return judged(instance, program, ["config", "unset", "proxy.proxyUrl"], false);
}

/** Whose program of OpenClaw an instance has. */
export function installationOf(instance: FoundInstance): Installation {
  const { uid, pid, root, container, configPath, stateFolder, variables } = instance;
  const isHere = root === null && container === null;
  const why = "it runs in a container; its program is asked from inside only";
  return {
    ...accountOf(uid),
    uid,
    pid,
    elsewhere: isHere ? null : { why, needs: "docker exec CONTAINER openclaw config" },
    configPath,
    stateFolder,
    variables,
  };
}

async function judged(
  instance: FoundInstance,
  program: Program,
  args: readonly string[],
  mustSayOk: boolean,
): Promise<ProxyResult> {
  const answer = await runOpenclaw(installationOf(instance), program, args, DEADLINE_MS);
  if (answer.kind !== "read") return { ok: false, problem: answer.why };
  const result = answer.value;
  if (result.cut !== null) return { ok: false, problem: `openclaw did not end well: ${result.cut}` };
  const isOk = result.status === 0 && (!mustSayOk || saysOk(result.stdout));
  if (isOk) return { ok: true };
  const said = `${result.stderr}\n${result.stdout}`
    .replaceAll(/[^ -~]+/g, " ")
    .trim()
    .slice(0, SAID_CHARS_MAX);
  return { ok: false, problem: `openclaw refused it (exit ${result.status ?? "by a signal"}): ${said}` };
}

/** `config patch --dry-run --json` ends with an object that has `ok`; warnings may stand before it. */
function saysOk(stdout: string): boolean {
  const start = stdout.indexOf("{");
  if (start < 0) return false;
  try {
    const answer: unknown = JSON.parse(stdout.slice(start));
    return typeof answer === "object" && answer !== null && "ok" in answer && answer.ok === true;
  } catch {
    return false;
  }
}
