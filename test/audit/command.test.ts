/** The commands as a script meets them: exit codes, files that are written and files that are not. */
import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Finished, run } from "../support/host/command.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "seawall-test-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const env = {
  PATH: "/usr/bin:/bin",
  SEAWALL_STATE_DIR: join(folder, "state"),
  SEAWALL_CONFIG_DIR: join(folder, "config"),
  SEAWALL_RUN_DIR: join(folder, "run"),
  USER: "ann",
};

function seawall(...args: readonly string[]): Promise<Finished> {
  return run([process.execPath, MAIN, ...args], { env, deadlineMs: 60_000 });
}

describe("seawall audit", () => {
  before(() => {
    assert.equal(process.getuid?.(), 0, "these tests write to folders of their own as root");
  });

  test("one layer as JSON: only its checks, nothing on stderr, nothing written", async () => {
    const { stdout, stderr, code } = await seawall("audit", "--json", "--layer", "host");
    const { findings } = JSON.parse(stdout) as { findings: { id: string; layer: string }[] };
    assert.deepEqual([...new Set(findings.map(({ layer }) => layer))], ["host"]);
    assert.equal(findings.length, 5);
    assert.equal(stderr, "");
    assert.ok(code === 0 || code === 1);
    assert.ok(!existsSync(env.SEAWALL_STATE_DIR));
  });

  test("--fail-on decides the exit code, never means 0", async () => {
    const check = ["--check", "HOST-001,HOST-004"];
    const { stdout } = await seawall("audit", "--json", ...check);
    const { findings } = JSON.parse(stdout) as { findings: { status: string }[] };
    const fails = findings.some(({ status }) => status === "fail");
    assert.equal((await seawall("audit", "--fail-on", "info", ...check)).code, fails ? 1 : 0);
    assert.equal((await seawall("audit", "--fail-on", "never", ...check)).code, 0);
  });

  for (const [sentence, args, code, says] of [
    ["a layer that does not exist", ["audit", "--layer", "x"], 2, /there is no layer `x`/],
    ["a view that does not exist", ["audit", "--view", "x"], 2, /there is no view `x`/],
    ["a check that does not exist", ["audit", "--check", "SSH-999"], 3, /there is no check `SSH-999`/],
    ["a format that does not exist", ["audit", "-o", "pdf"], 2, /`-o pdf`/],
    ["two formats at once", ["audit", "--json", "-o", "html"], 2, /cannot both hold/],
    ["a severity that does not exist", ["audit", "--fail-on", "x"], 2, /`--fail-on x`/],
    ["a stray word", ["audit", "now"], 2, /`seawall audit` takes no words, and `now` is one too many/],
    ["differences without two audits", ["audit", "diff"], 3, /fewer were kept/],
    [
      "a check that nobody may attest",
      ["audit", "attest", "SSH-002", "--says", "it is really off"],
      2,
      /can be seen/,
    ],
    ["a waiver without an end", ["audit", "waive", "SSH-021", "--why", "only one account"], 2, /both needed/],
    [
      "a waiver for ever",
      ["audit", "waive", "SSH-021", "--why", "only one account", "--expires", "2099-01-01"],
      2,
      /coming year/,
    ],
    [
      "a waiver that says nothing",
      ["audit", "waive", "SSH-021", "--why", "ok", "--expires", "30d"],
      2,
      /less than 10/,
    ],
    ["an unknown check to show", ["checks", "show", "x"], 3, /there is no check `x`/],
  ] as const) {
    test(`${sentence} is refused with the command that helps`, async () => {
      const result = await seawall(...args);
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stderr, says);
      assert.match(result.stderr, /^try: /m);
      assert.ok(!existsSync(join(env.SEAWALL_CONFIG_DIR, "audit.yaml")));
    });
  }

  test("a waiver and a statement are added to the file, whose comments stay", async () => {
    mkdirSync(env.SEAWALL_CONFIG_DIR, { mode: 0o700 });
    writeFileSync(
      join(env.SEAWALL_CONFIG_DIR, "audit.yaml"),
      "# ours\nwaivers:\n  - check: HOST-002 # the provider keeps it\n    why: the hypervisor keeps the clock\n    owner: bob\n    expires: 2027-06-01\n",
      { mode: 0o600 },
    );
    assert.equal(
      (await seawall("audit", "waive", "host-001", "--why", "a kernel of the provider", "--expires", "30d"))
        .code,
      0,
    );
    assert.equal(
      (await seawall("audit", "attest", "APP-018", "--says", "50 USD a month", "--owner", "eve")).code,
      0,
    );
    const text = readFileSync(join(env.SEAWALL_CONFIG_DIR, "audit.yaml"), "utf8");
    assert.match(text, /^# ours/);
    assert.match(text, /HOST-002 # the provider keeps it/);
    assert.match(text, /check: HOST-001\n\s+why: a kernel of the provider\n\s+owner: ann/);
    assert.match(text, /check: APP-018\n\s+says: 50 USD a month\n\s+owner: eve/);
    const { stdout } = await seawall("audit", "--json", "--check", "HOST-001,HOST-002");
    const { findings } = JSON.parse(stdout) as {
      findings: { id: string; status: string; waived: { owner: string } | null }[];
    };
    for (const finding of findings)
      if (finding.status === "fail") assert.ok(finding.waived !== null, finding.id);
  });

  test("attack: an audit.yaml that others may write hides nothing", async () => {
    const path = join(env.SEAWALL_CONFIG_DIR, "audit.yaml");
    const { code } = await run(["chmod", "666", path]);
    assert.equal(code, 0);
    const { stderr, stdout } = await seawall("audit", "--json", "--check", "HOST-001");
    assert.match(stderr, /can be written by others/);
    assert.doesNotMatch(stdout, /"waived":\{/);
    await run(["chmod", "600", path]);
  });

  test("whole audits are kept and compared; --no-history keeps nothing", async () => {
    const audit = ["audit", "--quick", "--fail-on", "never"];
    assert.equal((await seawall(...audit, "--no-history")).code, 0);
    assert.ok(!existsSync(env.SEAWALL_STATE_DIR));
    for (const again of [1, 2]) assert.equal((await seawall(...audit)).code, 0, String(again));
    assert.equal(readdirSync(join(env.SEAWALL_STATE_DIR, "audit")).length, 2);
    const { stdout, code } = await seawall("audit", "diff", "--json");
    const { changes } = JSON.parse(stdout) as { changes: unknown[] };
    assert.ok(Array.isArray(changes) && (code === 0 || code === 1));
    const history = JSON.parse((await seawall("audit", "history", "--json")).stdout) as { audits: unknown[] };
    assert.equal(history.audits.length, 2);
  });

  test("without root it says what it could not see, and changes nothing", async () => {
    const { stdout, code } = await run(
      [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "--",
        process.execPath,
        MAIN,
        "audit",
        "--quick",
        "--fail-on",
        "never",
      ],
      { env: { ...env, SEAWALL_STATE_DIR: "/nonexistent/seawall" }, deadlineMs: 60_000 },
    );
    assert.equal(code, 0);
    assert.match(stdout, /without root \d+ checks could not see what they need: sudo seawall audit/);
  });
});

describe("seawall checks", () => {
  test("list names every check once, show explains one", async () => {
    const { stdout } = await seawall("checks", "list", "--json");
    const { checks } = JSON.parse(stdout) as { checks: { id: string }[] };
    assert.ok(checks.length >= 133);
    assert.equal(new Set(checks.map(({ id }) => id)).size, checks.length);
    const shown = await seawall("checks", "show", "ssh-002");
    assert.match(shown.stdout, /^SSH-002 {2}Passwords are refused[\s\S]*looks at[\s\S]*fix/);
    assert.match((await seawall("checks", "list", "--layer", "docker")).stdout, /^DKR-001/);
  });
});
