import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  CGROUP_PATH_CHARS_MAX,
  dropInText,
  selectorOfCgroup,
  selectorOfUnit,
  sliceOfScope,
  sliceUnitText,
  unitName,
} from "./slice.ts";

describe("the slice of a scope", () => {
  for (const [scope, slice] of [
    ["agent", "seawall-agent.slice"],
    ["tenant_1", "seawall-tenant_1.slice"],
    ["tenant-1", "seawall-tenant\\x2d1.slice"],
    ["a-b-c", "seawall-a\\x2db\\x2dc.slice"],
  ] as const) {
    it(`of scope ${scope} is ${slice}`, () => assert.equal(sliceOfScope(scope), slice));
  }

  it("is directly below our parent slice, whatever the scope is called, and no two scopes share one", () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,23}$/);
    fc.assert(
      fc.property(name, name, (left, right) => {
        const { level, path } = selectorOfUnit(left);
        assert.equal(path.split("/").length, level);
        // systemd.slice(5): every `-` but the first would be another folder.
        assert.equal(sliceOfScope(left).split("-").length, 2);
        assert.equal(sliceOfScope(left) === sliceOfScope(right), left === right);
      }),
    );
  });

  it("is no text that ends the line of a unit file", () => {
    assert.throws(() => sliceOfScope("agent\nExecStart=/bin/sh"), { name: "BugError" });
  });
});

describe("a scope by cgroup path", () => {
  for (const [text, selector] of [
    ["/seawall.slice/agent", { level: 2, path: "seawall.slice/agent" }],
    ["system.slice/openclaw.service", { level: 2, path: "system.slice/openclaw.service" }],
    ["user.slice", { level: 1, path: "user.slice" }],
    ["a/b/c/d", { level: 4, path: "a/b/c/d" }],
    ["a\\x2db.slice", { level: 1, path: "a\\x2db.slice" }],
  ] as const) {
    it(`${text} is level ${selector.level}`, () => assert.deepEqual(selectorOfCgroup(text), selector));
  }
  for (const [what, text] of [
    ["the root", "/"],
    ["an empty path", ""],
    ["a path that goes up", "a/../b"],
    ["a path with a dot, which counts as a level", "a/./b"],
    ["a path with two slashes", "a//b"],
    ["a path that ends in a slash", "a/"],
    ["two leading slashes", "//a"],
    ["a quote", 'a" accept comment "'],
    ["a line break", "a\nb"],
    ["a star, which nft reads as a wildcard", "a*"],
    ["too many levels", Array(256).fill("a").join("/")],
    ["a path that is too long", `a/${"b".repeat(CGROUP_PATH_CHARS_MAX)}`],
  ] as const) {
    it(`refuses ${what}`, () => assert.equal(selectorOfCgroup(text), undefined));
  }
});

describe("unit files", () => {
  for (const [unit, full] of [
    ["openclaw", "openclaw.service"],
    ["openclaw@1", "openclaw@1.service"],
    ["openclaw.service", "openclaw.service"],
    ["user@1000.service", "user@1000.service"],
    ["open.claw", "open.claw.service"],
  ] as const) {
    it(`${unit} is ${full}`, () => assert.equal(unitName(unit), full));
  }

  it("the drop-in puts the unit into its slice", () => {
    assert.match(dropInText("a-b"), /^\[Service\]\nSlice=seawall-a\\x2db\.slice$/m);
  });

  it("nobody stops a slice by hand, and it is there after a boot", () => {
    for (const text of [sliceUnitText(null), sliceUnitText("agent")]) {
      assert.match(text, /^RefuseManualStop=yes$/m);
      assert.match(text, /^WantedBy=multi-user\.target$/m);
    }
  });
});
