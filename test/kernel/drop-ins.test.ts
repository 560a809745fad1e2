import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { jsonFromNamespace } from "../support/namespace-json.ts";
import type { DropInReport } from "./in-namespace/drop-ins.ts";

describe("a policy with drop-ins in the kernel", () => {
  let report: DropInReport;
  before(async () => {
    const script = new URL("./in-namespace/drop-ins.ts", import.meta.url);
    report = (await jsonFromNamespace(script, [])) as DropInReport;
  });

  it("is applied with the rules of its drop-ins", () => assert.match(report.first, /8082/));

  it("is applied without the rules of a drop-in that was removed", () => {
    assert.match(report.second, /allow-ssh/);
    assert.doesNotMatch(report.second, /8082/);
  });

  it("comes back from the history as it was, whatever policy.d holds by then", () => {
    assert.equal(report.again, report.first);
  });

  it("stands in the history with its drop-ins", () => {
    assert.deepEqual(report.kept, [["policy.d/web.yaml"], [], ["policy.d/web.yaml"]]);
  });

  it("does not come back when the drop-ins of the history were changed", () => {
    assert.match(report.changed, /is not what was applied[\s\S]*nothing was changed[\s\S]*SEAWALL_STATE/);
  });

  it("does not come back without its drop-ins", () => assert.match(report.gone, /SEAWALL_NOT_FOUND/));
});
