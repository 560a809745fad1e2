import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createSay } from "./say.ts";

describe("a line of seawalld", () => {
  for (const [what, name] of [
    ["a line of its own", "br-0\nseawalld: all is well"],
    ["a colour", "br-0\u001b[31m"],
    ["a title of the terminal", "\u001b]0;owned\u0007"],
    ["an escape of one byte", "\u009b2J"],
    ["a change of direction", "\u202eniatnoc"],
  ] as const) {
    it(`is one plain line, whatever is named ${what}`, () => {
      let said = "";
      createSay((text) => {
        said += text;
      })(`container ${name} is privileged`);
      assert.match(said, /^seawalld: container [ -~]+ is privileged\n$/);
    });
  }
});
