import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CHECKS } from "../../src/core/audit/check/all.ts";
import { judgeAll } from "../../src/core/audit/check.ts";
import type { FindingStatus } from "../../src/core/audit/finding.ts";
import { badFacts } from "./facts/bad.ts";
import { goodFacts } from "./facts/good.ts";

/** Checks that do not fail on the bad host, because something else of it stands in their place, with their own rows. */
const NOT_BAD_HERE: Readonly<Record<string, FindingStatus>> = {
  // SSH is let through by the very lack of rules.
  "FW-007": "pass",
  // Docker is there, so forwarding has its reason.
  "FW-018": "pass",
  // It is installed there, and the settings are wrong.
  "UPD-001": "pass",
  // The two that only a person knows: nothing is stated.
  "APP-017": "unknown",
  "APP-018": "unknown",
  "NET-003": "unknown",
  // nginx has no admin interface.
  "PRX-011": "not-applicable",
  // IPv6 is as open as IPv4, which is said by FW-001; IPV6=no is what fails here.
};

const NOT_GOOD_HERE: Readonly<Record<string, FindingStatus>> = {
  // Caddy inherits headers.
  "PRX-013": "not-applicable",
};

describe("on the good host", () => {
  const findings = judgeAll(CHECKS, goodFacts());
  for (const { id, status, title, evidence } of findings) {
    test(`${id} holds: ${title}`, () => {
      assert.equal(status, NOT_GOOD_HERE[id] ?? "pass", evidence.join("\n"));
      assert.ok(evidence.length > 0 && evidence.every((line) => line.trim() !== ""));
    });
  }
});

describe("on the host where all is wrong", () => {
  const findings = judgeAll(CHECKS, badFacts());
  for (const { id, status, title, evidence, fix } of findings) {
    test(`${id} fails: ${title}`, () => {
      assert.equal(status, NOT_BAD_HERE[id] ?? "fail", evidence.join("\n"));
      assert.ok(evidence.length > 0 && evidence.every((line) => line.trim() !== ""));
      if (status === "fail") assert.ok((fix ?? "").length > 5);
    });
  }
});

describe("checks are what reports and waivers can rely on", () => {
  test("their ids are unique, and 133 of them are those of the first list", () => {
    const ids = CHECKS.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    const counts: Record<string, number> = {
      SSH: 23,
      FW: 18,
      F2B: 10,
      UPD: 11,
      DKR: 20,
      SEC: 12,
      PRX: 14,
      APP: 18,
      NET: 2,
      HOST: 5,
    };
    for (const [prefix, count] of Object.entries(counts)) {
      for (let number = 1; number <= count; number += 1) {
        const id = `${prefix}-${String(number).padStart(3, "0")}`;
        assert.ok(ids.includes(id), `${id} is missing`);
      }
    }
  });

  test("every one says what it looks at, why, and what helps, in plain words", () => {
    for (const { id, title, why, fix, looksAt } of CHECKS) {
      assert.match(title, /^[A-Z"`].*[^.]$/, id);
      assert.match(why, /^(?:[a-z`]|Docker).*[^.]$/, id);
      assert.ok(fix.length > 5 && looksAt.length > 5, id);
      assert.doesNotMatch(`${title}${why}${fix}${looksAt}`, /[\u2013\u2014]/, `${id}: plain hyphens only`);
    }
  });

  test("exactly one finding for each check, in any facts", () => {
    for (const facts of [goodFacts(), badFacts()])
      assert.deepEqual(
        judgeAll(CHECKS, facts).map(({ id }) => id),
        CHECKS.map(({ id }) => id),
      );
  });
});
