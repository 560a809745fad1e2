// A scope by unit is recognised by a slice of ours: what the kernel matches, over restarts and moves.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { jsonFromNamespace } from "../support/namespace-json.ts";

type Case = {
  readonly leaf: number;
  readonly slice: number;
  readonly parent: number;
  readonly unmatched: number;
  readonly wrong: number;
  readonly said: string;
};
type Seen = Readonly<
  Record<
    "inside" | "inside6" | "below" | "outside" | "openedBefore" | "left" | "delegated" | "remade",
    Case
  > & {
    restarts: readonly Case[];
    sameId: boolean;
    notRoots: string;
    missing: string;
    missingForNft: string;
    hidden: string;
  }
>;

let seen: Seen;
before(async () => {
  const script = new URL("./in-namespace/containment-cgroup.ts", import.meta.url);
  seen = (await jsonFromNamespace(script)) as Seen;
});

describe("socket cgroupv2", () => {
  for (const [what, name] of [
    ["a packet of a process in the unit's cgroup", "inside"],
    ["an IPv6 packet of it", "inside6"],
    ["a packet from a cgroup below the unit's", "below"],
  ] as const) {
    it(`${what} matches the unit's cgroup and our slice above it`, () =>
      assert.deepEqual(only(seen[name]), { leaf: 1, slice: 1, parent: 0, unmatched: 0 }));
  }

  it("a process elsewhere matches none", () =>
    assert.deepEqual(only(seen.outside), { leaf: 0, slice: 0, parent: 0, unmatched: 1 }));

  it("a rule with a level that is not the depth of the path loads and matches nothing", () =>
    assert.equal(seen.inside.wrong, 0));

  it("after a restart of the unit a rule by its own cgroup matches nothing: it would be open", () =>
    assert.deepEqual(new Set(seen.restarts.map(({ leaf }) => leaf)), new Set([0])));

  it("over 40 restarts every packet of the unit, the first too, matches our slice", () => {
    assert.equal(seen.restarts.length, 40);
    for (const one of seen.restarts)
      assert.deepEqual(only(one), { leaf: 0, slice: 1, parent: 0, unmatched: 0 });
  });

  it("when our slice itself was made anew, the rule of the parent still matches: closed, not open", () => {
    assert.deepEqual(only(seen.remade), { leaf: 0, slice: 0, parent: 1, unmatched: 0 });
    assert.equal(seen.sameId, false);
  });

  it("a socket stays with the cgroup it was opened in when its process moves out", () =>
    assert.deepEqual(only(seen.left), { leaf: 1, slice: 1, parent: 0, unmatched: 0 }));

  it("NOT HELD: a socket that was opened before its process came into the slice stays outside", () =>
    assert.deepEqual(only(seen.openedBefore), { leaf: 0, slice: 0, parent: 0, unmatched: 1 }));

  it("moving itself by cgroup.procs: a user whose unit is delegated moves below it only", () => {
    assert.match(seen.delegated.said, /^moved$/m);
    assert.equal(seen.delegated.said.match(/Permission denied/g)?.length, 2);
    assert.deepEqual(only(seen.delegated), { leaf: 1, slice: 1, parent: 0, unmatched: 0 });
  });
});

describe("the cgroup of a scope", () => {
  it("is refused when it is not there, by us and by nft", () => {
    assert.match(seen.missing, /^SeawallError: there is no cgroup `seawall-test-[0-9]+\/none`$/);
    assert.match(seen.missingForNft, /cgroupv2 path fails: No such file or directory/);
  });

  it("is refused when a slice of ours may be entered by somebody else than root", () =>
    assert.match(seen.notRoots, /^SeawallError: the cgroup `seawall.slice\/.*` is not root's alone$/));

  it("is refused inside `ip netns exec`, which hides the tree", () =>
    assert.match(seen.hidden, /^SeawallError: there is no cgroup2 tree at \/sys\/fs\/cgroup/));
});

function only({ leaf, slice, parent, unmatched }: Case): object {
  return { leaf, slice, parent, unmatched };
}
