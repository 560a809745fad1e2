import assert from "node:assert/strict";
import { test } from "node:test";
import { jsonFromNamespace } from "../support/namespace-json.ts";
import type { ReloadReport } from "./in-namespace/reload.ts";

test("no packet is misjudged through 20 reloads, and unchanged rules keep pins, meters and counters", async () => {
  const script = new URL("./in-namespace/reload.ts", import.meta.url);
  const report = (await jsonFromNamespace(script, ["20"])) as ReloadReport;
  assert.deepEqual(report.misjudged, []);
  assert.ok(report.packets > 2_000, `only ${report.packets} packets`);
  assert.ok(report.pinSurvived, "the pinned address is gone");
  assert.ok(report.meterSurvived, "the meter forgot its source");
  assert.equal(report.counted, report.sentToCounted);
});
