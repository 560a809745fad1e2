/** OpenClaw's configuration has one meaning here: the audit and init read the same out of the same files. */
import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import JSON5 from "json5";
import { checkNamed } from "../../src/core/audit/check/all.ts";
import { configValue } from "../../src/core/audit/read/openclaw.ts";
import { readConfiguration } from "../../src/edge/openclaw/configuration.ts";
import type { FoundInstance } from "../../src/edge/openclaw/instance.ts";
import { readConfig } from "../../src/edge/probe/openclaw.ts";
import type { Place } from "../../src/edge/probe/openclaw-place.ts";
import { change } from "./facts/change.ts";
import { goodFacts } from "./facts/good.ts";
import { GOOD_INSTANCE } from "./facts/good-agent.ts";

const UID = 7_100;
const folder = mkdtempSync(join(tmpdir(), "seawall-test-"));
chmodSync(folder, 0o755);
after(() => rmSync(folder, { recursive: true, force: true }));

type Files = Readonly<Record<string, string | { readonly link: string; readonly uid: number }>>;

let homes = 0;

/** Writes the files as the agent's and returns where its main one is. */
function write(files: Files): string {
  homes += 1;
  const home = join(folder, `home-${homes}`);
  const written: Files = { "openclaw.json": "{}", ...files };
  for (const [name, content] of Object.entries(written)) {
    const path = join(home, name);
    mkdirSync(dirname(path), { recursive: true });
    if (typeof content === "string") {
      writeFileSync(path, content, { mode: 0o600 });
      chownSync(path, UID, UID);
    } else {
      symlinkSync(content.link, path);
      lchownSync(path, content.uid, content.uid);
    }
  }
  return join(home, "openclaw.json");
}

function ofAudit(configPath: string) {
  const place = { configPath, uid: UID, root: "" } as Place;
  return readConfig(place);
}

function ofInit(configPath: string) {
  const stateFolder = dirname(configPath);
  const instance = { configPath, stateFolder, uid: UID, root: null, variables: new Map() };
  return readConfiguration(instance as unknown as FoundInstance);
}

const BASE = '{gateway: {trustedProxies: ["0.0.0.0/0"], controlUi: {allowedOrigins: ["*"]}}}';
const MAIN = `{$include: ["./base.json5", "parts/a.json5", "./linked.json5"],
  gateway: {bind: "loopback", trustedProxies: ["127.0.0.1"], controlUi: {allowedOrigins: ["https://mine.example"]}}}`;
const PARTS: Files = {
  "openclaw.json": MAIN,
  "base.json5": BASE,
  "parts/a.json5": '{$include: "./b.json5"}',
  "parts/b.json5": '{channels: {telegram: {enabled: true, dmPolicy: "open"}}}',
  "elsewhere.json5": '{channels: {discord: {enabled: true, groupPolicy: "open"}}}',
};
const INCLUDED = ["APP-003", "APP-004", "APP-010", "APP-012"];

function judged(configPath: string): Readonly<Record<string, string>> {
  const { config, refused } = ofAudit(configPath);
  const instance = { ...GOOD_INSTANCE, listeners: [], config, refused };
  const facts = change(goodFacts(), "openclaw", { instances: [instance] });
  return Object.fromEntries(INCLUDED.map((id) => [id, checkNamed(id)?.judge(facts).status ?? "?"]));
}

const all = (status: string) => Object.fromEntries(INCLUDED.map((id) => [id, status]));

describe("what an include opens is seen as open", () => {
  test("lists are joined, names are relative to the file that says them, a link of root's is followed", () => {
    const path = write({ ...PARTS, "linked.json5": { link: "elsewhere.json5", uid: 0 } });
    assert.deepEqual(judged(path), all("fail"));
    const { config } = ofAudit(path);
    assert.ok(config.kind === "read");
    assert.deepEqual(config.value["gateway"], {
      trustedProxies: ["0.0.0.0/0", "127.0.0.1"],
      controlUi: { allowedOrigins: ["*", "https://mine.example"] },
      bind: "loopback",
    });
  });

  const refused: readonly (readonly [string, Files])[] = [
    ["is reached by a link of the agent's", { "linked.json5": { link: "elsewhere.json5", uid: UID } }],
    ["is not there", {}],
    ["is outside the folder", { "openclaw.json": '{$include: "../x.json5"}' }],
    ["is an absolute path elsewhere", { "openclaw.json": '{$include: "/etc/passwd"}' }],
    ["is no JSON5", { "linked.json5": "{a: }" }],
    ["includes itself", { "linked.json5": '{$include: "./linked.json5"}' }],
    ["is a link to a device", { "linked.json5": { link: "/dev/zero", uid: 0 } }],
    ["is root's own secret", { "linked.json5": { link: "/etc/shadow", uid: 0 } }],
    ["names no file", { "openclaw.json": "{$include: 7}" }],
  ];
  for (const [why, files] of refused) {
    test(`a file that ${why}: the configuration is unknown, and nothing of it passes`, () => {
      const path = write({ ...PARTS, ...files });
      assert.deepEqual(judged(path), all("unknown"));
      assert.ok(ofInit(path).problems.length > 0);
    });
  }

  test("a file that others may not write, and the agent's group may read, is read", () => {
    const path = write(PARTS);
    chownSync(path, 0, 0);
    assert.equal(ofAudit(path).config.kind, "unreadable");
    chmodSync(path, 0o644);
    assert.match(JSON.stringify(ofAudit(path)), /linked\.json5 does not exist/);
  });

  test("what OpenClaw refuses fails APP-023, whether it runs or not", () => {
    for (const text of ["{a: nonsense}", '{$include: "./none.json5"}', "[]"]) {
      const { config, refused: why } = ofAudit(write({ "openclaw.json": text }));
      const instance = { ...GOOD_INSTANCE, config, refused: why };
      const facts = change(goodFacts(), "openclaw", { instances: [instance] });
      assert.equal(checkNamed("APP-023")?.judge(facts).status, "fail", text);
      assert.doesNotMatch(String(why), /nonsense/);
    }
  });

  test("no file at all means OpenClaw's defaults", () => {
    const path = join(folder, "nowhere", "openclaw.json");
    assert.deepEqual(ofAudit(path), { config: { kind: "read", value: {} }, refused: null });
  });
});

/** Texts that a reader by hand takes otherwise than the library that OpenClaw reads with. */
const TEXTS: readonly string[] = [
  "{a: constructor}",
  "{a: __proto__}",
  "{a: 010}",
  '{a: "\\01"}',
  '{a: "b\rc"}',
  "// c\r{b: 1}",
  "// c\u2028{b: 1}",
  "{\\u0061: 1}",
  "{a: \"x\u2028y\", b: '\u2029'}",
  '{a: "x\\\u2028y"}',
  '{a: "\\"\u2028"} // "\u2028',
  "/* ' */ {a: '\u2028'}",
  "\u2028{a: 1}\u2029",
  '{"__proto__": {"x": 1}, constructor: {prototype: 2}}',
  "{x: 0x1F, y: -.5, z: +1e3}",
  "{'a\\\n b\\x41\\u0042\\n': 1}",
  "\ufeff{}",
  "{a: 1, 'b': \"c\", /* d */ e: [1, 2,], // f\n}",
  "{a: undefined}",
  "{a: 1e}",
  "{a 1}",
  "{,}",
  "{a: 'b",
  "",
  "null",
  "[1 2]",
  "{} x",
  '{a: "\u0000"}',
  "{a: 1_000}",
  "{a: 'it''s'}",
];

describe("JSON5 as the library that OpenClaw uses reads it", () => {
  for (const text of TEXTS) {
    test(JSON.stringify(text), (context) => {
      context.mock.method(console, "warn", () => undefined);
      const path = write({ "openclaw.json": text });
      const [audit, init] = [ofAudit(path), ofInit(path)];
      let expected: unknown;
      try {
        expected = JSON5.parse(text.replace(/^\ufeff/, ""));
      } catch {
        expected = undefined;
      }
      const isUsable = typeof expected === "object" && expected !== null && !Array.isArray(expected);
      assert.equal(audit.config.kind, isUsable ? "read" : "unreadable");
      assert.equal(init.root !== null, isUsable);
      if (audit.config.kind !== "read" || init.root === null) return;
      assert.equal(JSON.stringify(audit.config.value), JSON.stringify(expected));
      assert.deepEqual(configValue(init.root), audit.config.value);
    });
  }
});
