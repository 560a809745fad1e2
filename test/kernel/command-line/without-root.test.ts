/** Without root, beside a state that is full: every command says that it needs root, or does not need it. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { COMMANDS } from "../../../src/cli/registry.ts";
import { closeStore, openStore } from "../../../src/edge/store/database.ts";
import { run } from "../../support/host/command.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const POLICY = "version: 1\nmode: enforce\ninbound: []\noutbound: []\n";
const WHY = ["--why", "a reason of this test"];

/** What is typed, and what comes: 5 is "needs root", the others are what the help says of everybody. */
const LINES: Readonly<Record<string, readonly (readonly [readonly string[], number])[]>> = {
  init: [
    [[], 5],
    [["--dry-run"], 5],
  ],
  status: [
    [[], 5],
    [["--json"], 5],
  ],
  apply: [
    [[], 5],
    [["--dry-run"], 5],
  ],
  confirm: [[[], 5]],
  rollback: [[[], 5]],
  down: [[["--yes"], 5]],
  panic: [
    [[], 5],
    [["--off"], 5],
  ],
  pause: [[["--for", "10m"], 5]],
  rescue: [[[], 5]],
  history: [
    [[], 5],
    [["--json"], 5],
  ],
  backup: [[[], 5]],
  restore: [[["backup.tar.gz"], 5]],
  support: [[[], 5]],
  flows: [
    [[], 5],
    [["--json"], 5],
    [["--since", "1h", "--verdict", "refuse"], 5],
  ],
  audit: [[["--check", "SSH-002", "--fail-on", "never"], 0]],
  "audit diff": [[[], 5]],
  "audit history": [[[], 5]],
  "audit waive": [[["SSH-002", "--expires", "30d", ...WHY], 5]],
  "audit attest": [[["APP-018", "--says", "prepaid, no automatic top-up"], 5]],
  "checks list": [[[], 0]],
  "checks show": [[["SSH-002"], 0]],
  explain: [
    [["sw-c9xn9ebqfe"], 5],
    [["api.github.com:443"], 5],
    [["203.0.113.9", "22"], 5],
  ],
  allow: [[["api.github.com", ...WHY], 5]],
  block: [[["api.github.com", ...WHY], 5]],
  approve: [[["sw-c9xn9ebqfe", ...WHY], 5]],
  evaluate: [[[], 5]],
  compile: [[["nftables"], 5]],
  "policy check": [
    [[], 5],
    [["POLICY"], 5],
  ],
  "policy fmt": [[[], 5]],
  "policy migrate": [[[], 5]],
  "policy schema": [[[], 0]],
  prove: [[[], 5]],
  probe: [[["api.github.com:443"], 5]],
  version: [[[], 0]],
  help: [[[], 0]],
  completion: [[["bash"], 0]],
  daemon: [[[], 5]],
  gate: [[["--proxy", "127.0.0.1:0", "--upstream", "9.9.9.9:53"], 5]],
  install: [[["--dry-run"], 5]],
  attach: [[["openclaw"], 5]],
  uninstall: [[[], 5]],
  lab: [[[], 5]],
};

/** The checkout may lie where nobody else may go: it is seen elsewhere, by a mount that nobody else sees. */
const AS_NOBODY = `
mount --bind "$1" "$3/checkout"; mount --bind "$2" "$3/node"; shift; shift; at=$1; shift
cd "$at"; exec setpriv --reuid 65534 --regid 65534 --clear-groups "$at/node" "$at/checkout/dist/cli/main.js" "$@"`;

describe("uid 65534, where Seawall has a policy, a history, a log and audits", () => {
  let folder = "";
  let env: Record<string, string> = {};
  const nobody = (argv: readonly string[]) =>
    run(["unshare", "--mount", "sh", "-euc", AS_NOBODY, "sh", ROOT, process.execPath, folder, ...argv], {
      env,
      deadlineMs: 120_000,
    });

  after(() => rmSync(folder, { recursive: true, force: true }));
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "seawall-nobody-"));
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, "checkout"));
    writeFileSync(join(folder, "node"), "");
    const [etc, state] = [join(folder, "etc"), join(folder, "state")];
    for (const path of [etc, state, join(state, "history"), join(state, "audit")])
      mkdirSync(path, { mode: 0o700 });
    writeFileSync(join(etc, "policy.yaml"), POLICY, { mode: 0o600 });
    writeFileSync(join(state, "history", "000001.json"), "{}", { mode: 0o600 });
    writeFileSync(join(state, "audit", "20261101T080000.000Z.json"), "{}", { mode: 0o600 });
    closeStore(openStore(state));
    env = {
      PATH: process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin",
      SEAWALL_CONFIG_DIR: etc,
      SEAWALL_STATE_DIR: state,
      SEAWALL_RUN_DIR: join(folder, "run"),
    };
  });

  test("every command has a row", () => {
    assert.deepEqual(Object.keys(LINES).toSorted(), Object.keys(COMMANDS).toSorted());
  });

  for (const [words, rows] of Object.entries(LINES)) {
    for (const [rest, expected] of rows) {
      test(`seawall ${words} ${rest.join(" ")}: ${expected}`, async () => {
        const typed = rest.map((word) =>
          word === "POLICY" ? join(env["SEAWALL_CONFIG_DIR"] ?? "", "policy.yaml") : word,
        );
        const { code, stdout, stderr, timedOut } = await nobody([...words.split(" "), ...typed]);
        assert.ok(!timedOut);
        assert.equal(code, expected, `${stdout}${stderr}`);
        const exits = (await COMMANDS[words]?.load())?.command.exits ?? {};
        assert.ok(Object.hasOwn(exits, String(code)), `exit code ${code} is in the help`);
        if (expected !== 5) return;
        assert.equal(stdout, "", "nothing is answered from what could not be read");
        assert.match(stderr, /root/);
        if (words !== "lab") assert.match(stderr, new RegExp(`^try: sudo seawall ${words}`, "m"));
        assert.match(stderr, /^\[SEAWALL_NOT_ROOT\]$/m);
      });
    }
  }
});
