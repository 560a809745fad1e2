import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePolicy } from "../parse/parse.ts";
import { POLICY_VERSION } from "../parse/vocabulary.ts";
import { migratePolicy, type MigrationPath } from "./migrate.ts";
import { renameKey } from "./rename.ts";
import { STEPS } from "./step.ts";

const RULES = "inbound:\n  - {allow: ssh, from: any, why: administration}\n";

/** What is written, and what it becomes. */
const ROWS: readonly (readonly [string, string, string])[] = [
  ["a file that is as it has to be", `version: 1\n${RULES}`, `version: 1\n${RULES}`],
  ["a file without a version", RULES, `version: 1\n${RULES}`],
  ["a file without a version under a comment", `# mine\n\n${RULES}`, `# mine\n\nversion: 1\n${RULES}`],
  ["a file that begins with ---", `---\n${RULES}`, `---\nversion: 1\n${RULES}`],
  ["a version in quotes", `version: "1" # keep\n${RULES}`, `version: 1 # keep\n${RULES}`],
  ["v1", `version: v1\n${RULES}`, `version: 1\n${RULES}`],
  ["1.0", `version: 1.0\n${RULES}`, `version: 1\n${RULES}`],
  [
    "scope, set and zone",
    "version: 1\nscope: # who\n  agent: {user: a}\nset: {a: [10.0.0.0/8]}\n'zone': {lan: eth1}\n",
    "version: 1\nscopes: # who\n  agent: {user: a}\nsets: {a: [10.0.0.0/8]}\nzones: {lan: eth1}\n",
  ],
  [
    "ports of an outbound rule",
    "version: 1\noutbound:\n  - allow: a.example.com\n    ports: [443, 80] # both\n    why: needed for work\n  - {allow: b.example.com, ports: 22, why: needed for work}\n",
    "version: 1\noutbound:\n  - allow: a.example.com\n    port: [443, 80] # both\n    why: needed for work\n  - {allow: b.example.com, port: 22, why: needed for work}\n",
  ],
  [
    "rules in one bracket",
    "version: 1\noutbound: [{allow: b.example.com, ports: 22, why: needed for work}]\n",
    "version: 1\noutbound: [{allow: b.example.com, port: 22, why: needed for work}]\n",
  ],
  ["line ends of Windows", RULES.replaceAll("\n", "\r\n"), `version: 1\n${RULES}`.replaceAll("\n", "\r\n")],
  ["a byte order mark", `\uFEFF${RULES}`, `\uFEFFversion: 1\n${RULES}`],
  ["an empty file", "# nothing yet\n", "# nothing yet\n"],
];

for (const [name, before, after] of ROWS) {
  test(`${name} becomes this version, and only those lines change`, () => {
    const migration = migratePolicy(before);
    assert.ok(migration.ok);
    assert.equal(migration.text, after);
    assert.equal(migration.done.length > 0, before !== after);
    assert.notEqual(parsePolicy(after, { nowMs: 0 }).document, null);
    const again = migratePolicy(after);
    assert.ok(again.ok && again.text === after, "a second time changes nothing");
  });
}

for (const [name, text, code, words] of [
  [
    "a later version",
    "version: 2\n",
    "policy/version",
    /version `2` was written for a later Seawall; this one, /,
  ],
  ["a version that never was", "version: 0\n", "policy/version", /version `0` is not known/],
  ["a version that is no number", "version: one\n", "policy/wrong-type", /must be the number 1/],
  ["broken YAML", "version: 1\ninbound: [\n", "policy/unclosed", /./],
  ["a policy in one bracket", "{inbound: []}\n", "policy/edit-layout", /in one bracket/],
] as const) {
  test(`${name} is refused`, () => {
    const migration = migratePolicy(text);
    assert.ok(!migration.ok);
    assert.deepEqual(
      migration.diagnostics.map((one) => one.code),
      [code],
    );
    assert.match(migration.diagnostics[0]?.message ?? "", words);
  });
}

test("a key is not renamed over the right one: the parser says that both are there", () => {
  const text = "version: 1\nscope: {agent: {user: a}}\nscopes: {agent: {user: b}}\n";
  const migration = migratePolicy(text);
  assert.ok(migration.ok && migration.text === text);
});

test("there is a step from every version before this one, in order", () => {
  assert.deepEqual(
    STEPS.map(({ from }) => from),
    Array.from({ length: POLICY_VERSION - 1 }, (_, at) => at + 1),
  );
});

/** Two versions that do not exist, to prove the way there. */
const PLANTED: MigrationPath = {
  version: 3,
  steps: [
    {
      from: 1,
      what: "`why` is called `because`",
      changes: (text) => renameKey(text, "inbound", "why", "because"),
    },
    {
      from: 2,
      what: "`mode` is called `stance`",
      changes: (text) => renameKey(text, "root", "mode", "stance"),
    },
  ],
};

const OLD =
  "# top\nversion: 1 # first\nmode: observe\n\ninbound:\n  # the way in\n  - allow: ssh\n    from: any\n    why: administration # keys\n";

test("each step is taken in order, and comments and layout stay", () => {
  const migration = migratePolicy(OLD, PLANTED);
  assert.ok(migration.ok);
  assert.equal(
    migration.text,
    OLD.replace("version: 1", "version: 3").replace("mode:", "stance:").replace("why:", "because:"),
  );
  assert.deepEqual(migration.done, [
    "the file says `version: 2`",
    "`why` is called `because`",
    "the file says `version: 3`",
    "`mode` is called `stance`",
  ]);
});

test("a file of a version in between takes the rest of the way only", () => {
  const migration = migratePolicy(OLD.replace("version: 1", "version: 2"), PLANTED);
  assert.ok(migration.ok);
  assert.ok(migration.text.includes("why: administration") && migration.text.includes("stance: observe"));
});

test("a file later than the way goes is refused, whatever the steps", () => {
  assert.equal(migratePolicy(OLD.replace("version: 1", "version: 4"), PLANTED).ok, false);
});
