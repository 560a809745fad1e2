// A unit below our slice, started again and again by a real systemd: nothing it sends is unjudged.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { jsonFromNamespace } from "../support/namespace-json.ts";

interface Seen {
  readonly said: string;
  readonly seen: Readonly<Record<string, number>>;
  /** The identity of our slice when we made it, before systemd began, and at the end. */
  readonly made: string;
  readonly idNow: string;
}

const STARTS = 12;

describe("under systemd", () => {
  let seen: Seen;
  let lines: readonly string[];
  const after = (word: string): string[] =>
    lines.flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []));
  before(async () => {
    const script = new URL("./in-namespace/containment-systemd.ts", import.meta.url);
    seen = (await jsonFromNamespace(script)) as Seen;
    lines = seen.said.trimEnd().split("\n");
    assert.equal(lines.at(-1), "done", seen.said);
  });

  it("each of 12 starts has a cgroup of its own, which a rule could not have known", () =>
    assert.equal(new Set(after("started")).size, STARTS));

  it("the first packet of every start is matched by the slice's rule, which was loaded once", () =>
    assert.deepEqual(seen.seen, { slice: STARTS, parent: 0, unmatched: 0 }));

  it("systemd takes the slice that was there, and leaves it when the unit stops, reloads and runs itself anew", () => {
    assert.deepEqual(after("stopped"), [seen.made]);
    assert.equal(seen.idNow, seen.made);
  });

  it("nobody stops or restarts a slice of ours by hand", () => {
    assert.equal(after("refused").length, 3);
    assert.ok(after("refused").every((code) => code !== "0"));
  });
});
