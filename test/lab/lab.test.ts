/** The lab itself: what it prints, that a row can break, and that nothing of it stays. Needs root. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type LabPolicies, POLICIES } from "../../src/lab/policy.ts";
import type { Row } from "../../src/lab/row.ts";
import { runLab } from "../../src/lab/run.ts";
import { grown, namespacesOf, stillThere, usersOf } from "./process-tree.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const ROWS_MIN = 30;
const OUTPUT_BYTES_MAX = 100_000;
const GONE_DEADLINE_MS = 20_000;
/** The world, its daemon and its players are more than this many processes. */
const GROWN_PROCESSES = 8;

interface Printed {
  readonly schema: string;
  readonly rows: readonly Row[];
  readonly summary: { readonly held: number; readonly broken: number; readonly seconds: number };
}

test("every claim of the lab holds, it prints one object, and nothing of it is left", async () => {
  const before = machine();
  const child = spawn(process.execPath, [MAIN, "lab", "--json"], { stdio: ["ignore", "pipe", "pipe"] });
  const output = collect(child);
  const tree = await grown(pidOf(child), GROWN_PROCESSES);
  const namespaces = namespacesOf(tree);
  const { code, stdout, stderr } = await output;
  assert.match(stderr, /^(not shown: .*\n)?$/);
  assert.equal(code, 0, stdout);
  assert.ok(stdout.length < OUTPUT_BYTES_MAX);
  const { schema, rows, summary } = JSON.parse(stdout) as Printed;
  assert.equal(schema, "seawall/v1");
  assert.deepEqual(
    rows.filter((row) => !row.held),
    [],
  );
  assert.ok(rows.length >= ROWS_MIN, `${rows.length} rows`);
  assert.equal(
    new Set(rows.map(({ claim, direction }) => `${direction} ${claim}`)).size,
    rows.length,
    "each claim once",
  );
  for (const row of rows) {
    assert.deepEqual(Object.keys(row).toSorted(), ["claim", "direction", "expected", "held", "log", "seen"]);
  }
  assert.deepEqual([summary.held, summary.broken], [rows.length, 0]);
  assert.deepEqual(stillThere(tree), []);
  assert.deepEqual(usersOf(namespaces), []);
  assert.deepEqual(machine(), before);
});

test("killed by SIGKILL in the middle, the lab leaves nothing", async () => {
  const before = machine();
  const child = spawn(process.execPath, [MAIN, "lab"], { stdio: "ignore" });
  const tree = await grown(pidOf(child), GROWN_PROCESSES);
  const namespaces = namespacesOf(tree);
  child.kill("SIGKILL");
  await gone(() => stillThere(tree).length === 0 && usersOf(namespaces).length === 0, tree);
  assert.deepEqual(machine(), before);
});

test("started by npm, the lab ends when npm is killed by SIGKILL", async () => {
  const script = `"${process.execPath}" "${MAIN}" lab; exit $?`;
  const npm = spawn("sh", ["-c", script], { argv0: "npm start", stdio: "ignore" });
  const tree = await grown(pidOf(npm), GROWN_PROCESSES + 1);
  npm.kill("SIGKILL");
  await gone(() => stillThere(tree).length === 0, tree);
});

test("a policy that is not as good breaks rows, and only those it is about", async () => {
  const rows: Row[] = [];
  const result = await runLab({
    keep: false,
    signal: new AbortController().signal,
    onMessage: (message) => void (message.kind === "row" && rows.push(message.row)),
    policies: sabotaged(),
  });
  assert.ok(result.complete);
  const broken = rows.filter((row) => !row.held).map(({ claim }) => claim);
  for (const claim of BROKEN) assert.ok(broken.includes(claim), `still held: ${claim}`);
  for (const claim of HELD) assert.ok(!broken.includes(claim), `broken: ${claim}`);
});

/** What must be seen when the gateway is opened, the banned one is forgiven and outbound stays observed. */
const BROKEN = [
  "on trial, the policy judges already: the gateway is closed",
  "the gateway is closed to 32 addresses picked at random",
  "confirmed, the intruder's old connection is cut",
  "a deny beats an allow, whatever their order",
  "a rule that drops keeps the scanner waiting",
  "a connection that was only watched is cut",
  "what an exited process left is cut off, except to listed places",
  "unlisted addresses, and other ports of listed ones, are refused",
  "QUIC is refused, to a listed address too",
  "a program that the agent starts is refused",
];
const HELD = [
  "the OpenClaw gateway is open to anybody, IPv4 and IPv6",
  "the Docker API is closed, even to the office",
  "SSH stays open",
  "the published container is open to the office",
  "cloud metadata is refused",
  "at the deadline https is back, by the kernel alone",
  "Docker's tables are byte for byte as they were",
];

function sabotaged(): LabPolicies {
  const expires = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  const spoil = (text: string): string =>
    text
      .replace(
        /\ntests:[\s\S]*$/,
        `\naccept_risk:\n  - {guard: gateway, reason: sabotage of this test, by: test, expires: ${expires}}\n`,
      )
      .replace(
        "inbound:\n",
        "inbound:\n  - {id: hole, allow: 18789, from: any, why: sabotage of this test}\n",
      )
      .replace("    from: 192.0.2.200\n", "    from: 192.0.2.201\n")
      .replace("    denial: drop\n", "");
  return {
    watching: spoil(POLICIES.watching),
    enforcing: spoil(POLICIES.watching),
    names: spoil(POLICIES.names),
    mistake: POLICIES.mistake,
    draft: POLICIES.draft,
  };
}

/** What the machine itself shows of a lab that leaked. */
function machine(): Record<string, unknown> {
  const said = (program: string, ...args: string[]): string =>
    spawnSync(program, args, { encoding: "utf8" }).stdout;
  return {
    links: said("ip", "-o", "link").replaceAll(/^\d+: /gm, ""),
    tables: said("nft", "list", "tables"),
    rules: said("ip", "rule"),
    namespaces: existsSync("/run/netns") ? readdirSync("/run/netns") : [],
    mounts: readFileSync("/proc/self/mounts", "utf8"),
  };
}

async function gone(isGone: () => boolean, tree: readonly unknown[]): Promise<void> {
  const limit = Date.now() + GONE_DEADLINE_MS;
  while (!isGone()) {
    assert.ok(Date.now() < limit, `of ${tree.length} processes some are still there`);
    await sleep(50);
  }
}

function pidOf(child: ChildProcess): number {
  assert.ok(child.pid !== undefined);
  return child.pid;
}

function collect(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const text = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (text.stdout += chunk));
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (text.stderr += chunk));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, ...text }));
  });
}
