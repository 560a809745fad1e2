// Attack: a gate that is taken over leaves its socket to a child, ends, and waits until its number is root's next process's.
// seawalld then ends the gate that does not answer: it must not kill by number.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { jsonFromNamespace } from "../../support/namespace-json.ts";

interface Left {
  readonly hasInnocent: boolean;
  readonly lost: boolean;
  readonly innocentLives: boolean;
  readonly said: readonly string[];
  readonly opened: boolean;
  readonly refused: readonly (number | null)[];
  readonly sent: number;
  readonly secondLives: boolean;
}

describe("a gate whose number is another process's by now", () => {
  let left: Left;
  before(async () => {
    left = (await jsonFromNamespace(new URL("in-namespace/gate-pid.ts", import.meta.url))) as Left;
  });

  it("loses its link when it does not answer, and the process that has its number lives", () => {
    assert.ok(left.hasInnocent, "no process of root's got the number");
    assert.ok(left.lost);
    assert.match(left.said.join("\n"), /has not answered for 2 s/);
    assert.ok(left.innocentLives, "root's process was killed");
  });

  it("before Linux 6.5: a number is opened only while it is a process of the gates' user", () => {
    assert.ok(left.opened);
    assert.deepEqual(left.refused, [null, null, null, null, null]);
  });

  it("before Linux 6.5: the signal reaches the process that was opened, and nobody after it", () => {
    assert.ok(left.sent < 0);
    assert.ok(left.secondLives);
  });
});
