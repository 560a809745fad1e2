import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { ConntrackEntry, Tuple } from "../../src/core/event/decode/conntrack.ts";
import type { ConntrackAnswer } from "../../src/edge/kernel/conntrack.ts";
import { jsonFromNamespace } from "../support/namespace-json.ts";

interface Seen
  extends Record<"untracked" | "nobody" | "found4" | "found6" | "reply4" | "reply6", ConntrackAnswer> {
  v4: Tuple;
  v6: Tuple;
  generation5: ConntrackEntry[];
  generation6: ConntrackEntry[];
  generation8: ConntrackEntry[];
  scope3: ConntrackEntry[];
  wrongId: unknown;
  stillThere: string;
  deleted: unknown;
  gone: string;
  deletedTwice: unknown;
  otherUntouched: string;
  many: number;
  lookupMicroseconds: number;
}

let seen: Seen;
before(async () => {
  seen = (await jsonFromNamespace(new URL("./in-namespace/conntrack.ts", import.meta.url))) as Seen;
});

test("where nothing tracks connections there is no entry, and no error", () => {
  assert.deepEqual(seen.untracked, { kind: "none" });
});

for (const [family, found, reply, tuple, mark] of [
  ["IPv4", "found4", "reply4", "v4", 0x53000007],
  ["IPv6", "found6", "reply6", "v6", 0x63000007],
] as const) {
  test(`an ${family} connection is found by its tuple with its mark`, () => {
    const answer = seen[found];
    assert.ok(answer.kind === "entry");
    assert.equal(answer.direction, "original");
    assert.deepEqual(answer.entry.original, seen[tuple]);
    assert.equal(answer.entry.mark, mark);
  });

  test(`an ${family} connection is found by the tuple of its answers, and said to be that`, () => {
    const answer = seen[reply];
    assert.ok(answer.kind === "entry");
    assert.equal(answer.direction, "reply");
    assert.deepEqual(answer.entry.original, seen[tuple]);
  });
}

test("a tuple that nobody uses has no entry", () => assert.deepEqual(seen.nobody, { kind: "none" }));

test("a dump by generation shows that generation and no other, foreign bits of the mark notwithstanding", () => {
  assert.deepEqual(
    seen.generation5.map((entry) => entry.original),
    [seen.v4],
  );
  assert.deepEqual(
    seen.generation6.map((entry) => entry.original),
    [seen.v6],
  );
  assert.deepEqual(seen.generation8, []);
});

test("a dump by scope shows both families", () => {
  const ports = seen.scope3.map((entry) => entry.original.destinationPort);
  assert.deepEqual(new Set(ports), new Set([8004, 8006]));
});

test("a dump of a thousand connections is complete", () => assert.equal(seen.many, 1_000));

test("an entry with another id is not the one to delete", () => {
  assert.deepEqual([seen.wrongId, seen.stillThere], [{ kind: "none" }, "entry"]);
});

test("deleting takes this connection and leaves the others", () => {
  assert.deepEqual([seen.deleted, seen.gone, seen.otherUntouched], [{ kind: "deleted" }, "none", "entry"]);
});

test("deleting what is gone is no error", () => assert.deepEqual(seen.deletedTwice, { kind: "none" }));

test("the cost of a look-up is told", (context) => {
  assert.ok(seen.lookupMicroseconds > 0);
  context.diagnostic(`${seen.lookupMicroseconds.toFixed(1)} us for one look-up`);
});
