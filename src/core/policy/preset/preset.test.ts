import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatPattern } from "../../net/hostname.ts";
import { parseNamePattern } from "../../net/name-pattern.ts";
import { parsePrefix } from "../../net/prefix.ts";
import { policyOf } from "../../../../test/support/policy.ts";
import { PRESET_NAMES, PRESETS, presetPatterns } from "./preset.ts";
import { WEBHOOK_SENDERS, webhookSender } from "./webhook-sender.ts";

const DAY = /^20\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;

describe("a preset", () => {
  for (const { name, about, entries } of PRESETS) {
    test(`${name} says what it opens, where each name was seen and when that was read`, () => {
      assert.match(name, /^[a-z][a-z0-9-]*$/);
      assert.match(about, /^.{2,140}[^.]$/);
      assert.ok(entries.length > 0, "a preset without names would allow nothing");
      for (const { hosts, source, reviewed } of entries) {
        assert.ok(hosts.length > 0);
        assert.match(source, /^.{8,}[^.]$/);
        assert.match(reviewed, DAY);
      }
    });

    test(`${name} holds names as a policy would write them, sorted and once`, () => {
      const all = entries.flatMap(({ hosts }) => hosts);
      assert.equal(new Set(all).size, all.length, "a name stands twice");
      for (const { hosts } of entries) assert.deepEqual([...hosts], hosts.toSorted());
      for (const host of all) {
        const parsed = parseNamePattern(host);
        assert.ok(parsed.ok, host);
        assert.equal(formatPattern(parsed.pattern), host);
        assert.equal(parsed.breadth, null, `${host} needs an accepted risk`);
      }
      assert.deepEqual(presetPatterns(name)?.map(formatPattern), all);
    });

    test(`${name} has a wildcard only with its reason`, () => {
      for (const { hosts, wildcard } of entries) {
        const wild = hosts.some((host) => host.startsWith("*."));
        assert.equal(wild, wildcard !== null, hosts.join(" "));
        if (wildcard !== null) assert.match(wildcard, /^.{20,}[^.]$/);
      }
    });
  }
});

test("presets have names of their own", () => {
  assert.equal(PRESET_NAMES.size, PRESETS.length);
  assert.equal(presetPatterns("nothing"), undefined);
  assert.equal(presetPatterns("__proto__"), undefined);
});

test("every preset can be used in a policy", () => {
  const policy = policyOf(
    `version: 1\noutbound:\n  - use: [${[...PRESET_NAMES].join(", ")}]\n    why: everything there is, for a test\n`,
  );
  assert.equal(
    policy.outbound?.[0]?.names.length,
    PRESETS.flatMap(({ entries }) => entries.flatMap(({ hosts }) => hosts)).length,
  );
});

describe("a webhook sender", () => {
  for (const { name, prefixes, source, reviewed, proof } of WEBHOOK_SENDERS) {
    test(`${name} has networks without host bits, sorted, and a source`, () => {
      for (const text of prefixes) {
        const parsed = parsePrefix(text);
        assert.ok(parsed.ok && !parsed.hadHostBits, text);
      }
      assert.equal(new Set(prefixes).size, prefixes.length);
      assert.match(source, /^.{10,}[^.]$/);
      assert.match(reviewed, DAY);
      assert.ok(proof.length > 5);
      assert.equal(webhookSender(name)?.name, name);
    });
  }
});
