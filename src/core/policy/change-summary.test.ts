import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { policyOf } from "../../../test/support/policy.ts";
import { changeBetween, changeCount, changeWords } from "./change-summary.ts";

const SSH = "  - {id: ssh, allow: ssh, from: any, why: administration with keys only}\n";
const WEB = "  - {id: web, allow: https, from: any, why: the page that we serve}\n";
const policy = (inbound: string, rest = "", mode = "enforce"): string =>
  `version: 1\nmode: ${mode}\n${rest}inbound:\n${inbound}`;
const outbound = (rules: string): string => `outbound:\n${rules}`;
const GITHUB = "  - {id: github, allow: api.github.com, why: skills installed from there}\n";

const words = (before: string | null, after: string): string =>
  changeWords(before === null ? null : policyOf(before), policyOf(after));

describe("what changes, in one line", () => {
  for (const [name, before, after, expected] of [
    ["nothing", policy(SSH), policy(SSH), "nothing: it means what is in force"],
    [
      "only a comment, a reason, an owner and the order",
      policy(SSH + WEB),
      policy(
        `  # moved\n${WEB}${SSH}`
          .replace("administration", "the administration")
          .replace("why:", "owner: maria, why:"),
      ),
      "nothing: it means what is in force",
    ],
    ["one rule more", policy(SSH), policy(SSH + WEB), "+1 rule"],
    ["one rule less", policy(SSH + WEB), policy(SSH), "-1 rule"],
    [
      "another rule under the same id",
      policy(SSH),
      policy(SSH.replace("from: any", "from: 203.0.113.0/24")),
      "~1 rule",
    ],
    [
      "rules more, less and other",
      policy(SSH + WEB),
      policy(SSH.replace("from: any", "from: 203.0.113.0/24") + WEB.replace("id: web", "id: page")),
      "+1 -1 ~1 rules",
    ],
    [
      "a direction that is only watched now, and not each of its rules",
      policy(SSH + WEB),
      policy(SSH + WEB, "", "{inbound: observe, outbound: enforce}"),
      "inbound enforce -> OBSERVE",
    ],
    [
      "a direction that is enforced now",
      policy(SSH, outbound(GITHUB), "{inbound: enforce, outbound: observe}"),
      policy(SSH, outbound(GITHUB)),
      "outbound observe -> enforce",
    ],
    [
      "a rule that only watches now",
      policy(SSH + WEB.replace("allow: https, from: any", "deny: https, from: 192.0.2.1")),
      policy(SSH + WEB.replace("allow: https, from: any", "mode: observe, deny: https, from: 192.0.2.1")),
      "~1 rule",
    ],
    [
      "an outbound that is not judged any more",
      policy(SSH, outbound(GITHUB)),
      policy(SSH),
      "-1 rule; outbound enforce -> NOT JUDGED; -scope agent (user openclaw)",
    ],
    [
      "an empty outbound where there was none",
      policy(SSH),
      policy(SSH, "outbound: []\n"),
      "outbound not judged -> enforce; +scope agent (user openclaw)",
    ],
    [
      "another user behind the agent",
      policy(SSH, `scopes: {agent: {user: a}}\n${outbound(GITHUB)}`),
      policy(SSH, `scopes: {agent: {user: b}}\n${outbound(GITHUB)}`),
      "scope agent: user a -> user b",
    ],
    [
      "how a denial looks",
      policy(SSH),
      policy(SSH, "defaults: {inbound: drop}\n"),
      "inbound denials refuse -> drop",
    ],
    [
      "a guard that is lifted",
      policy(SSH),
      policy(
        SSH,
        "accept_risk:\n  - {guard: docker-api, reason: the lab of this test needs it, by: me, expires: 2027-01-01}\n",
      ),
      "guard.docker-api LIFTED",
    ],
    ["a zone", policy(SSH), policy(SSH, "zones: {lan: eth1}\n"), "+zone lan (eth1)"],
    [
      "all at once",
      policy(SSH, `scopes: {agent: {user: a}}\n${outbound(GITHUB)}`),
      policy(
        SSH + WEB,
        `scopes: {agent: {user: b}}\n${outbound(GITHUB)}`,
        "{inbound: enforce, outbound: observe}",
      ),
      "+1 rule; outbound enforce -> OBSERVE; scope agent: user a -> user b",
    ],
    [
      "everything, where nothing was in force",
      null,
      policy(SSH + WEB),
      "2 rules; inbound enforce, outbound not judged; nothing was in force",
    ],
  ] as const) {
    test(name, () => assert.equal(words(before, after), expected));
  }

  test("a list of addresses of another file content is another rule", () => {
    const sets = (prefix: string): string =>
      policy(SSH.replace("from: any", "from: office"), `sets: {office: [${prefix}]}\n`);
    const change = changeBetween(policyOf(sets("203.0.113.0/24")), policyOf(sets("203.0.113.0/25")));
    assert.deepEqual([change.changed, changeCount(change)], [["ssh"], 1]);
  });
});
