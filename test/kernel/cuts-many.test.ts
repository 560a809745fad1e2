// A large connection table does not keep a change from ending what it forbids.
import assert from "node:assert/strict";
import { test } from "node:test";
import { jsonFromNamespace } from "../support/namespace-json.ts";
import type { ManyReport } from "./in-namespace/cuts-many.ts";

const script = new URL("./in-namespace/cuts-many.ts", import.meta.url);
/** LIMIT: what the process may grow by: nothing is kept of an entry. */
const GROWN_MIB_MAX = 120;

for (const entries of [50_000, 100_000]) {
  test(`of ${entries} connections the forbidden ones are ended, all of them and nothing else`, async (context) => {
    const report = (await jsonFromNamespace(script, [String(entries)])) as ManyReport;
    const { forbidden, ended, wronglyEnded, trouble, ms, againMs, grownMiB } = report;
    context.diagnostic(
      `${entries} entries, ${forbidden} forbidden: ${ms.toFixed(0)} ms; again with nothing to do: ${againMs.toFixed(0)} ms; ${grownMiB.toFixed(0)} MiB more`,
    );
    assert.deepEqual({ ended, wronglyEnded, trouble }, { ended: forbidden, wronglyEnded: 0, trouble: null });
    assert.ok(grownMiB < GROWN_MIB_MAX, `${grownMiB} MiB`);
  });
}
