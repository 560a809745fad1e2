import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { createRedactor, withoutSecrets } from "./redact.ts";

const KEY = new Uint8Array(32).fill(7);
const redactor = createRedactor({ key: KEY, privateWords: ["alice", "tenant", "hostess"] });

describe("in prose", () => {
  for (const [what, text, kept] of [
    ["plain words", "rules in the kernel are in force", true],
    ["our files", "/var/lib/seawall/events.db cannot be used (full): database or disk is full", true],
    ["a moment", "2026-11-21T12:00:03.123Z", true],
    ["a moment of the journal", "2026-11-21T12:00:03+0000", true],
    ["loopback", "127.0.0.1 and ::1", true],
    ["small numbers and sizes", "lost 12 events in 90s, 16 MiB", true],
    ["a public address", "198.41.0.4", false],
    ["an IPv6 address", "2001:500:2::c", false],
    ["a name", "api.example.com", false],
    ["a person", "alice", false],
    ["a person in a path", "/home/alice/x", false],
    ["a person in a compound", "alice-laptop", false],
    ["an account that is known by another case", "Alice", false],
    ["a token", "sk-abc123DEF456", false],
    ["a key of letters only, in mixed case", "QwErTyUiOpAsDf", false],
    ["a long word", "correcthorsebatterystaple", false],
    ["a telephone number", "015112345678", false],
  ] as const) {
    test(`${what} ${kept ? "stays" : "becomes a token"}`, () => {
      const shown = redactor.prose(text);
      if (kept) assert.equal(shown, text);
      else assert.ok(!shown.toLowerCase().includes(text.replace(/^\/home\/|\/x$/g, "").toLowerCase()), shown);
    });
  }
});

describe("strictly", () => {
  for (const [text, shown] of [
    ["counter count_ssh {", /^counter count_ssh \{$/],
    ["counter count_guard.docker-api {", /^counter count_guard\.docker-api \{$/],
    ["counter count_alice-laptop {", /^counter count_text-[0-9a-f]{8} \{$/],
    ["count_deny-45-33-32-0-24", /^count_text-[0-9a-f]{8}$/],
    ["chain g3/zone/world/rule/bobs-house {", /^chain g3\/zone\/world\/rule\/text-[0-9a-f]{8} \{$/],
    ['comment "bob said hunter2"', /^comment "text-[0-9a-f]{8}"$/],
    ['counter name "count_ssh" accept', /^counter name "count_ssh" accept$/],
    ['counter name "count_bob" accept', /^counter name "count_text-[0-9a-f]{8}" accept$/],
    [`comment "policy 4 observe enforce sha256 ${"a".repeat(64)}"`, /^comment "policy 4 observe enforce"$/],
    ["192.168.7.0/24", /^private4-[0-9a-f]{8}\/24$/],
    ["198.41.0.4:443", /^public4-[0-9a-f]{8}:443$/],
    ["*.example.com", /^(?:\*\.)?name-[0-9a-f]{8}$/],
    ["ordinary English words", /^text-\w+ text-\w+ text-\w+$/],
  ] as const) {
    test(`\`${text}\` is shown as ${String(shown)}`, () => assert.match(redactor.strict(text), shown));
  }

  test("no word of letters and digits survives, wherever it stands", () => {
    const secret = fc.stringMatching(/^[a-z]{1,6}[0-9]{1,6}[A-Z]{2,6}[a-z0-9]{2,12}$/);
    const around = fc.constantFrom(
      "# ",
      "why: ",
      "https://bob:",
      "count_",
      "g1/zone/",
      "token=",
      "ü",
      "(",
      "-",
    );
    fc.assert(
      fc.property(secret, around, around, (word, before, behind) => {
        for (const shown of [redactor.strict(before + word + behind), redactor.prose(before + word + behind)])
          assert.ok(!shown.includes(word), shown);
      }),
      { seed: 7, numRuns: 500 },
    );
  });
});

test("the same input has the same token, in prose and strictly, and another key another one", () => {
  const other = createRedactor({ key: new Uint8Array(32), privateWords: [] });
  const token = redactor.strict("api.example.com");
  assert.equal(redactor.prose("api.example.com"), token);
  assert.equal(redactor.strict("API.example.com"), token);
  assert.notEqual(redactor.strict("api.example.org"), token);
  assert.notEqual(other.strict("api.example.com"), token);
});

test("of what people wrote only the length is told, keys that they chose are tokens", () => {
  const shown = JSON.stringify(
    redactor.value(
      { scopes: { tenant: { user: "bob" } }, rules: [{ why: "call 0151 112", id: "ssh" }] },
      "strict",
    ),
  );
  assert.match(
    shown,
    /^\{"scopes":\{"text-\w+":\{"user":"text-\w+"\}\},"text-\w+":\[\{"why":"\(13 characters\)","id":"ssh"\}\]\}$/,
  );
});

test("at the end secrets go by their format, and those of the environment by their value", () => {
  const env = { OPENCLAW_TOKEN: "abcdefghijklmnop", LANG: "C.UTF-8-abcdefgh" };
  const key = `ghp_${"a1B2".repeat(10)}`;
  assert.equal(
    withoutSecrets(`x ${key} y abcdefghijklmnop z C.UTF-8-abcdefgh`, env),
    "x (secret removed) y (secret removed) z C.UTF-8-abcdefgh",
  );
});
