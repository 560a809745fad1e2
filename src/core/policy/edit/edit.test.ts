import assert from "node:assert/strict";
import { test } from "node:test";
import { addRule } from "./add-rule.ts";
import { removeRule } from "./remove-rule.ts";
import { setMode } from "./set-mode.ts";
import type { PolicyEdit } from "./format.ts";

const OPTIONS = { nowMs: Date.UTC(2026, 10, 1) };
const RULE = "allow: b.example.com\nwhy: asked for by ops\n";

const POLICY = `# the host in the attic
version: 1 # first
mode: {inbound: enforce, outbound: observe} # both

inbound:
    # keys only
    - allow: ssh   # 22
      from: any
      why: administration

outbound:
  - allow: a.example.com
    # inside
    why: >-
      needed
      for work
  # the end of the list

# the end of the file
`;

function text(edit: PolicyEdit): string {
  assert.ok(edit.ok, JSON.stringify(edit));
  return edit.text;
}

function refused(edit: PolicyEdit): string | undefined {
  assert.equal(edit.ok, false);
  return edit.ok ? undefined : edit.diagnostics[0]?.code;
}

test("a rule is added behind the last one, and nothing else changes", () => {
  const after = text(addRule(POLICY, "outbound", RULE, OPTIONS));
  const put = "  - allow: b.example.com\n    why: asked for by ops\n";
  assert.equal(after, POLICY.replace("      for work\n", `      for work\n${put}`));
});

test("a rule is added at the indentation of its list", () => {
  const rule = "allow: https\nfrom: any\nwhy: asked for by ops";
  const after = text(addRule(POLICY, "inbound", rule, OPTIONS));
  const put = "    - allow: https\n      from: any\n      why: asked for by ops\n";
  assert.equal(after, POLICY.replace("      why: administration\n", `      why: administration\n${put}`));
});

for (const [name, before, after] of [
  [
    "an empty file",
    "",
    `version: 1\ninbound: []\noutbound:\n  - allow: b.example.com\n    why: asked for by ops\n`,
  ],
  [
    "a missing list",
    "version: 1",
    "version: 1\noutbound:\n  - allow: b.example.com\n    why: asked for by ops\n",
  ],
  [
    "an empty list with a comment",
    "version: 1\noutbound: [] # nothing yet\ninbound: []\n",
    "version: 1\noutbound: # nothing yet\n  - allow: b.example.com\n    why: asked for by ops\ninbound: []\n",
  ],
  [
    "a list in brackets",
    "version: 1\noutbound: [{allow: a.example.com, why: needed for work}] # one\n",
    'version: 1\noutbound: [{allow: a.example.com, why: needed for work}, {"allow": "b.example.com", "why": "asked for by ops"}] # one\n',
  ],
  [
    "a list without indentation",
    "version: 1\noutbound:\n- {allow: a.example.com, why: needed for work}\ninbound: []\n",
    "version: 1\noutbound:\n- {allow: a.example.com, why: needed for work}\n- allow: b.example.com\n  why: asked for by ops\ninbound: []\n",
  ],
] as const) {
  test(`a rule is added to ${name}`, () => {
    assert.equal(text(addRule(before, "outbound", RULE, OPTIONS)), after);
  });
}

test("line ends and byte order mark of the file stay", () => {
  const before = `\uFEFF${POLICY.replaceAll("\n", "\r\n")}`;
  const after = text(addRule(before, "outbound", RULE, OPTIONS));
  assert.equal(after, `\uFEFF${text(addRule(POLICY, "outbound", RULE, OPTIONS)).replaceAll("\n", "\r\n")}`);
});

test("a rule that would rename another one gets an id", () => {
  const before = "version: 1\noutbound:\n  - {allow: b.example.com, why: needed for work}\n";
  const after = text(addRule(before, "outbound", `${RULE}port: 8443`, OPTIONS));
  assert.match(after, /\n {2}- id: allow-b-example-com-2\n {4}allow: b\.example\.com\n/);
});

for (const [name, rule, code] of [
  ["no map", "- a", "policy/edit-rule"],
  ["nothing", "", "policy/edit-rule"],
  ["without why", "allow: b.example.com", "policy/missing-key"],
  ["another document", "allow: b.example.com\nwhy: asked for by ops\n---\na: 1", undefined],
] as const) {
  test(`a rule that is ${name} is refused`, () => {
    const found = refused(addRule(POLICY, "outbound", rule, OPTIONS));
    if (code !== undefined) assert.equal(found, code);
  });
}

test("a policy with mistakes is not edited", () => {
  assert.equal(refused(addRule("version: 2\n", "outbound", RULE, OPTIONS)), "policy/version");
  assert.equal(refused(removeRule("version: 2\n", "x", OPTIONS)), "policy/version");
  assert.equal(refused(setMode("version: 2\n", "both", "enforce", OPTIONS)), "policy/version");
});

test("a policy in one bracket is not edited", () => {
  assert.equal(refused(addRule("{version: 1}\n", "outbound", RULE, OPTIONS)), "policy/edit-layout");
  assert.equal(refused(setMode("{version: 1}\n", "both", "observe", OPTIONS)), "policy/edit-layout");
});

test("adding and removing a rule gives the file back", () => {
  const added = text(addRule(POLICY, "outbound", `id: temp\n${RULE}`, OPTIONS));
  assert.equal(text(removeRule(added, "temp", OPTIONS)), POLICY);
});

test("the last rule leaves an empty list, and its comments outside stay", () => {
  const after = text(removeRule(POLICY, "allow-ssh", OPTIONS));
  assert.equal(
    after,
    POLICY.replace("inbound:\n    #", "inbound: []\n    #").replace(
      "    - allow: ssh   # 22\n      from: any\n      why: administration\n",
      "",
    ),
  );
});

for (const [id, after] of [
  [
    "a",
    "[{id: b, allow: b.example.com, why: needed for work}, {id: c, allow: c.example.com, why: needed for work}]",
  ],
  [
    "b",
    "[{id: a, allow: a.example.com, why: needed for work}, {id: c, allow: c.example.com, why: needed for work}]",
  ],
  [
    "c",
    "[{id: a, allow: a.example.com, why: needed for work}, {id: b, allow: b.example.com, why: needed for work}]",
  ],
] as const) {
  test(`rule ${id} is taken out of brackets`, () => {
    const rule = (name: string): string => `{id: ${name}, allow: ${name}.example.com, why: needed for work}`;
    const before = `version: 1\noutbound: [${["a", "b", "c"].map(rule).join(", ")}]\n`;
    assert.equal(text(removeRule(before, id, OPTIONS)), `version: 1\noutbound: ${after}\n`);
  });
}

test("an unknown rule is not removed", () => {
  assert.equal(refused(removeRule(POLICY, "nope", OPTIONS)), "policy/edit-unknown-rule");
});

for (const [name, before, direction, mode, after] of [
  [
    "absent",
    "version: 1 # v\ninbound: []\n",
    "both",
    "observe",
    "version: 1 # v\nmode: observe\ninbound: []\n",
  ],
  [
    "absent",
    "version: 1\n",
    "outbound",
    "observe",
    "version: 1\nmode: {inbound: enforce, outbound: observe}\n",
  ],
  ["absent and the same", "version: 1\n", "both", "enforce", "version: 1\n"],
  ["a word", "version: 1\nmode: observe # m\n", "both", "enforce", "version: 1\nmode: enforce # m\n"],
  [
    "a word",
    "version: 1\nmode: observe # m\n",
    "inbound",
    "enforce",
    "version: 1\nmode: {inbound: enforce, outbound: observe} # m\n",
  ],
  [
    "a bracket",
    "version: 1\nmode: { inbound: enforce,  outbound: observe }\n",
    "outbound",
    "enforce",
    "version: 1\nmode: { inbound: enforce,  outbound: enforce }\n",
  ],
  [
    "a bracket with one",
    "version: 1\nmode: {inbound: enforce}\n",
    "outbound",
    "observe",
    "version: 1\nmode: {inbound: enforce, outbound: observe}\n",
  ],
  [
    "an empty bracket",
    "version: 1\nmode: {}\n",
    "inbound",
    "observe",
    "version: 1\nmode: {inbound: observe}\n",
  ],
  [
    "a map",
    "version: 1\nmode:\n  # in\n  inbound: enforce # i\n",
    "both",
    "observe",
    "version: 1\nmode:\n  # in\n  inbound: observe # i\n  outbound: observe\n",
  ],
  [
    "an empty file",
    "# c",
    "outbound",
    "observe",
    "# c\nversion: 1\nmode: {inbound: enforce, outbound: observe}\ninbound: []\noutbound: []\n",
  ],
] as const) {
  test(`mode that is ${name}: ${direction} to ${mode}`, () => {
    assert.equal(text(setMode(before, direction, mode, OPTIONS)), after);
  });
}
