/** Whom sshd would let in with a key, by its own lists and by what stands before the key. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { entryProblem, keyProblem } from "../../src/core/audit/read/ssh-entry.ts";
import { context } from "./facts/good.ts";
import { NOW } from "./facts/moment.ts";

const caller = { name: "ann", groups: ["ann", "sudo"], addresses: ["198.51.100.7"] };

describe("an account", () => {
  for (const [sentence, options, why] of [
    ["without lists", { allowgroups: "" }, null],
    ["in the group that may", { allowgroups: "wheel|sudo" }, null],
    ["in no group that may", { allowgroups: "wheel" }, /AllowGroups/],
    ["by a pattern", { allowgroups: "", allowusers: "a*" }, null],
    ["not among the users", { allowgroups: "", allowusers: "bob" }, /AllowUsers/],
    ["from where it sits", { allowgroups: "", allowusers: "ann@198.51.100.0/24" }, null],
    ["from where nobody sits", { allowgroups: "", allowusers: "ann@10.0.0.0/8" }, /AllowUsers/],
    ["refused by name before all", { allowgroups: "", allowusers: "*", denyusers: "ann" }, /DenyUsers/],
    ["refused by its group", { allowgroups: "", denygroups: "sudo" }, /DenyGroups/],
    ["with keys switched off", { allowgroups: "", pubkeyauthentication: "no" }, /PubkeyAuthentication/],
    [
      "with more than a key",
      { allowgroups: "", authenticationmethods: "publickey,password" },
      /more than a key/,
    ],
    ["with a key as one of two ways", { allowgroups: "", authenticationmethods: "publickey password" }, null],
    ["with any method", { allowgroups: "", authenticationmethods: "any" }, null],
  ] as const)
    test(sentence, () => {
      const problem = entryProblem(context("ann", "198.51.100.7", options), caller);
      if (why === null) assert.equal(problem, null);
      else assert.match(problem ?? "", why);
    });
});

describe("a key", () => {
  for (const [options, why] of [
    ["", null],
    ["no-pty,no-port-forwarding", null],
    ['command="echo Please login as ann; exit 142"', /a command in place of a shell/],
    ['no-pty,command="x"', /a command in place of a shell/],
    ['environment="command=x"', null],
    ['expiry-time="20200101"', /expired/],
    ['expiry-time="20990101120000Z"', null],
    ["cert-authority", /certificates/],
    ['from="198.51.100.*"', null],
    ['from="10.0.0.0/8,198.51.100.0/24"', null],
    ['from="*,!198.51.100.7"', /nobody is logged in from there/],
    ['from="10.0.0.1"', /nobody is logged in from there/],
  ] as const)
    test(options === "" ? "without options" : options, () => {
      const problem = keyProblem(options, caller.addresses, NOW);
      if (why === null) assert.equal(problem, null);
      else assert.match(problem ?? "", why);
    });
});
