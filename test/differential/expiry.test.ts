import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { outputInNamespace } from "../support/namespace.ts";
import type { ExpiryReport } from "./in-namespace/expiry.ts";

describe("what expires does so in the kernel, with nobody alive to do it", () => {
  let report: ExpiryReport;
  before(async () => {
    const output = await outputInNamespace(new URL("in-namespace/expiry.ts", import.meta.url));
    report = JSON.parse(output) as ExpiryReport;
  });

  for (const [port, what] of [
    ["22", "an allow"],
    ["18789", "an accepted risk"],
  ] as const) {
    test(`${what} admits before its end and refuses after it`, () => {
      assert((report.passed[port] ?? 0) > 50, `${report.passed[port] ?? 0} packets passed`);
      assert((report.refused[port] ?? 0) > 20, `${report.refused[port] ?? 0} packets were refused`);
    });
  }

  test("a rule without an end admits all the time", () => {
    assert((report.passed["443"] ?? 0) > 100);
    assert.equal(report.refused["443"], undefined);
  });

  test("the kernel turns at the very moment at which evaluate does", () => {
    assert.deepEqual(report.surprises, []);
  });
});
