import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { locked } from "./change-lock.ts";

describe("the lock of changes", () => {
  const run = mkdtempSync(join(tmpdir(), "seawall-lock-"));
  after(() => rmSync(run, { recursive: true }));

  it("lets a second change wait for the first one's end", async () => {
    const order: string[] = [];
    const change = (name: string) =>
      locked(run, async () => {
        order.push(`${name} begins`);
        await sleep(50);
        order.push(`${name} ends`);
      });
    await Promise.all([change("first"), change("second")]);
    assert.deepEqual(order, ["first begins", "first ends", "second begins", "second ends"]);
  });

  it("is not waited for longer than asked, and says that nothing was changed", async () => {
    await locked(run, async () => {
      await assert.rejects(
        locked(run, () => assert.fail("both had the lock"), 0),
        { code: "SEAWALL_BUSY", still: "this one changed nothing" },
      );
    });
  });

  it("is free again after work that failed", async () => {
    await assert.rejects(
      locked(run, () => Promise.reject(new Error("it failed"))),
      /it failed/,
    );
    assert.equal(await locked(run, () => "free", 0), "free");
  });
});
