import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { closeStore, openStore } from "../../src/edge/store/database.ts";
import { listFlows } from "../../src/edge/store/flow-query.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const WRITER = fileURLToPath(new URL("./writer.ts", import.meta.url));
/** Acknowledgements after which the writer is killed, and ms to wait then, to hit it at other places. */
const KILLS = [
  [1, 0],
  [3, 1],
  [40, 0],
  [7, 3],
  [150, 2],
  [2, 5],
] as const;

for (const size of [1, 37, 200]) {
  test(`every event acknowledged in batches of ${size} survives kill -9, and no batch is there in part`, async (context) => {
    const directory = temporaryDirectory(context);
    for (const [after, waitMs] of KILLS) {
      const acknowledged = await killWriter(directory, size, after, waitMs);
      const store = openStore(directory);
      const { integrity_check: integrity } = store.database.prepare("PRAGMA integrity_check").get() ?? {};
      const flows = listFlows(store, {});
      closeStore(store);
      assert.equal(integrity, "ok");
      assert.ok(flows.length >= acknowledged, `${flows.length} of ${acknowledged}`);
      assert.equal(flows.length % size, 0);
      assert.ok(flows.every((flow, at) => flow.timeMs === at && flow.rule === `rule-${at}`));
    }
  });
}

/** Returns the last number that the writer printed before it was gone. */
async function killWriter(directory: string, size: number, after: number, waitMs: number): Promise<number> {
  const child = spawn(process.execPath, [WRITER, directory, String(size)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  let lines = 0;
  let armed = false;
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
  child.stdout.setEncoding("utf8").on("data", (part: string) => {
    output += part;
    lines += part.split("\n").length - 1;
    if (lines < after || armed) return;
    armed = true;
    setTimeout(() => child.kill("SIGKILL"), waitMs);
  });
  await gone;
  assert.equal(child.signalCode, "SIGKILL", "the writer ended by itself");
  const whole = output.slice(0, output.lastIndexOf("\n"));
  return Number(whole.slice(whole.lastIndexOf("\n") + 1));
}
