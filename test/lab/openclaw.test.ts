/** The lab with the real OpenClaw in it. Needs root, and installs OpenClaw where the end-to-end tests have it too. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { EXIT, exitCodeOf } from "../../src/cli/exit-code.ts";
import { SeawallError } from "../../src/core/base/error.ts";
import { installOpenClaw } from "../../src/lab/openclaw/install.ts";
import type { Row } from "../../src/lab/row.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { grown, namespacesOf, stillThere, usersOf } from "./process-tree.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
/** Those about OpenClaw, beside the more than 30 that the lab has without it. */
const OPENCLAW_ROWS = [
  "OpenClaw's gateway listens on every address of the host",
  "OpenClaw has a turn with its model, by name",
  "its web_fetch reaches a listed name over HTTPS",
  "its web_fetch of an unlisted name is told that there is none",
  "node -e fetch of an unlisted name is told the same",
  "a raw IPv4 address is refused at once",
  "a raw IPv6 address is refused at once",
  "an unlisted neighbour on a listed name's address is refused by its name",
  "a DNS tunnel of TXT questions, by two resolvers, carries nothing out",
  "it is healthy with its catalogue, telemetry and hub out of reach",
  "through Seawall's proxy OpenClaw has a turn with its model",
  "through the proxy its web_fetch of an unlisted name is told 403",
];
const ROWS_MIN = 50;
const OUTPUT_BYTES_MAX = 100_000;
const GONE_DEADLINE_MS = 20_000;
/** The world, its daemon, its players and the gateway are more than this many processes. */
const GROWN_PROCESSES = 10;
const NOBODY_THERE = "http://127.0.0.1:9/";

interface Printed {
  readonly rows: readonly Row[];
  readonly summary: { readonly held: number; readonly broken: number };
}

before(async () => {
  await installOpenClaw({ say: console.error });
});

test("with the real OpenClaw every claim holds, and it prints one object of the same form", async () => {
  const { code, stdout, stderr } = await collect(["lab", "--openclaw", "--json"]);
  assert.match(stderr, /^(not shown: .*\n)?$/);
  assert.equal(code, 0, stdout);
  assert.ok(stdout.length < OUTPUT_BYTES_MAX);
  const { rows, summary } = JSON.parse(stdout) as Printed;
  assert.deepEqual(
    rows.filter((row) => !row.held),
    [],
  );
  assert.ok(rows.length >= ROWS_MIN, `${rows.length} rows`);
  const claims = rows.map(({ claim }) => claim);
  assert.deepEqual(
    OPENCLAW_ROWS.filter((claim) => !claims.includes(claim)),
    [],
  );
  for (const row of rows) {
    assert.deepEqual(Object.keys(row).toSorted(), ["claim", "direction", "expected", "held", "log", "seen"]);
  }
  assert.deepEqual([summary.held, summary.broken], [rows.length, 0]);
});

test("killed by SIGKILL while OpenClaw works, the lab leaves nothing", async () => {
  const mounts = readFileSync("/proc/self/mounts", "utf8");
  const child = spawn(process.execPath, [MAIN, "lab", "--openclaw"], { stdio: ["ignore", "pipe", "ignore"] });
  assert.ok(child.pid !== undefined);
  let said = "";
  for await (const chunk of child.stdout) {
    said += String(chunk);
    if (said.includes("OpenClaw has a turn")) break;
  }
  assert.match(said, /OpenClaw has a turn/);
  const tree = await grown(child.pid, GROWN_PROCESSES);
  const namespaces = namespacesOf(tree);
  assert.ok(
    tree.some(({ pid }) => readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("openclaw")),
    "the gateway is one of them",
  );
  child.kill("SIGKILL");
  const limit = Date.now() + GONE_DEADLINE_MS;
  while (stillThere(tree).length > 0 || usersOf(namespaces).length > 0) {
    assert.ok(Date.now() < limit, `of ${tree.length} processes some are still there`);
    await sleep(50);
  }
  assert.equal(readFileSync("/proc/self/mounts", "utf8"), mounts);
});

test("without a registry it says so before and after, and leaves nothing that counts as installed", async (context) => {
  const cache = temporaryDirectory(context);
  const settings = { npm_config_registry: NOBODY_THERE, npm_config_cache: temporaryDirectory(context) };
  const kept = Object.keys(settings).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, settings);
  context.after(() => {
    for (const [name, value] of kept) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
  const said: string[] = [];
  const failure = await installOpenClaw({ say: (line) => said.push(line), cache }).catch(
    (cause: unknown) => cause,
  );
  assert.ok(failure instanceof SeawallError);
  assert.equal(exitCodeOf(failure.code), EXIT.unusable);
  assert.match(failure.message, /was not installed: .*ECONNREFUSED/);
  assert.match(said.join("\n"), /^installing OpenClaw .* \d+ MB to download, \d+ MB in /);
  assert.ok(said.join().includes(cache));
  assert.deepEqual(readdirSync(cache), ["lock"]);
});

test("an install that is stopped ends at once and leaves nothing that counts as installed", async (context) => {
  const cache = temporaryDirectory(context);
  const stopped = installOpenClaw({ say: () => undefined, cache, signal: AbortSignal.abort() });
  await assert.rejects(stopped, /was not installed: it was stopped/);
  assert.deepEqual(
    readdirSync(cache).filter((name) => name.startsWith("openclaw-")),
    [],
  );
});

function collect(
  words: readonly string[],
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, [MAIN, ...words], { stdio: ["ignore", "pipe", "pipe"] });
  const text = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text.stdout += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (text.stderr += chunk));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, ...text }));
  });
}
