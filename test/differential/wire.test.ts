import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { outputInNamespace } from "../support/namespace.ts";
import type { WireReport } from "./in-namespace/wire.ts";

describe("the wire harness tells apart what a ruleset does", () => {
  let report: WireReport;
  before(async () => {
    const output = await outputInNamespace(new URL("in-namespace/wire.ts", import.meta.url));
    report = JSON.parse(output) as WireReport;
  });

  test("without any ruleset every packet passes, in and out, to the host and beyond", () => {
    assert.deepEqual(report.unruled, []);
  });

  test("pass, refuse and drop are seen for every protocol and family, in and out", () => {
    assert.deepEqual(report.ruled, []);
  });

  test("an outbound packet is its user's", () => {
    assert.deepEqual(report.otherUser, []);
  });

  test("20,000 refusals in a row are all seen: no limit of the kernel turns one into silence", () => {
    assert.equal(report.refusalsSeen, 20_000);
  });

  test("nothing comes out that answers no packet", () => {
    assert.equal(report.strays, 0);
  });
});
