import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { flowOf, NOW_MS, policyOf } from "../../../test/support/policy.ts";
import { evaluate } from "./evaluate.ts";

const HOUSE = policyOf(`
version: 1
mode: enforce
zones: {lan: eth1}
sets:
  office: [203.0.113.0/24, "2001:db8:1::/48"]
scopes: {agent: {user: 4242}, helper: {user: 4243}}
accept_risk:
  - {guard: cdp, reason: a lab machine without secrets, by: ops@example.com, expires: 2027-01-01}
inbound:
  - {id: ssh, allow: ssh, from: any, why: administration with keys only}
  - {id: web, allow: [https, 8000-8080], from: office, except: 203.0.113.7, why: staging for the office}
  - {id: abuse, deny: any, from: [198.51.100.0/24, 203.0.113.66], why: abuse report 4711}
  - {id: quiet, deny: 8081, denial: drop, why: nobody needs an answer here}
  - {id: printers, allow: udp/161, from: lan, why: printers of the house}
  - {id: guest, allow: 9000, from: 192.0.2.0/24, expires: 2026-12-01, why: a contractor for a while}
  - {id: gone, allow: 9001, from: any, expires: 2026-11-01, why: this one is over already}
  - {id: opens-gateway, allow: 18789, from: any, why: this cannot work because of the guard}
  - {id: browser, allow: 9222, from: office, why: the risk of this was accepted}
  - {id: trial, deny: https, from: 203.0.113.8, mode: observe, why: is this one still used by anybody}
  - {id: half-open, allow: 7000, from: any, mode: observe, why: would this be enough for the phone}
outbound:
  - {id: github, allow: [api.github.com, "*.files.example.org"], why: skills from GitHub}
  - {id: no-gists, deny: gist.files.example.org, why: a way out for secrets}
  - {id: partner, allow: 8.8.4.0/24, port: [443, 8443], why: the partner's servers by address}
  - {id: resolver, allow: 9.9.9.9, port: 53, protocol: udp, why: the resolver of the network}
  - {id: model, allow: model.example.com, private: true, why: the local model by its name}
  - {id: bad-net, deny: 8.8.4.64/26, why: this part was sold to somebody}
  - {id: helpers, allow: 1.1.1.1, scope: helper, why: only the helper may do this}
`);

const ENFORCED: [flow: string, verdict: string, rule: string | null, reason: string][] = [
  ["1.2.3.4 -> 22", "accept", "ssh", "allowed"],
  ["2001:db8::9 -> 22", "accept", "ssh", "allowed"],
  ["1.2.3.4 -> udp/22", "refuse", null, "default"],
  ["1.2.3.4 -> 443", "refuse", null, "default"],
  ["203.0.113.9 -> 443", "accept", "web", "allowed"],
  ["203.0.113.9 -> 8000", "accept", "web", "allowed"],
  ["203.0.113.9 -> 8080", "accept", "web", "allowed"],
  ["203.0.113.9 -> 7999", "refuse", null, "default"],
  ["203.0.113.7 -> 443", "refuse", null, "default"],
  ["2001:db8:1:ffff::1 -> 443", "accept", "web", "allowed"],
  ["2001:db8:2::1 -> 443", "refuse", null, "default"],
  ["198.51.100.9 -> 22", "refuse", "abuse", "denied"],
  ["203.0.113.66 -> 443", "refuse", "abuse", "denied"],
  ["203.0.113.9 -> 8081", "drop", "quiet", "denied"],
  ["203.0.113.9 -> udp/8081", "drop", "quiet", "denied"],
  ["10.0.0.1@lan -> udp/161", "accept", "printers", "allowed"],
  ["10.0.0.1 -> udp/161", "refuse", null, "default"],
  ["192.0.2.1 -> 9000", "accept", "guest", "allowed"],
  ["1.2.3.4 -> 9001", "refuse", null, "default"],
  ["203.0.113.9 -> 18789", "refuse", "guard.gateway", "guard"],
  ["203.0.113.9 -> 9222", "accept", "browser", "allowed"],
  ["1.2.3.4 -> 2375", "refuse", "guard.docker-api", "guard"],
  ["1.2.3.4 -> icmp", "accept", "host.ping", "host-life"],
  ["127.0.0.1@lo -> 18789", "accept", "host.loopback", "host-life"],
  ["172.17.0.2@docker0 -> 5432", "accept", null, "not-judged"],
  ["agent => api.github.com:443", "accept", "github", "allowed"],
  ["agent => api.github.com:80", "refuse", null, "default"],
  ["agent => api.github.com:443/udp", "refuse", null, "default"],
  ["agent => raw.files.example.org:443", "accept", "github", "allowed"],
  ["agent => files.example.org:443", "refuse", null, "default"],
  ["agent => gist.files.example.org:443", "refuse", "no-gists", "denied"],
  ["agent => gist.files.example.org:9", "refuse", "no-gists", "denied"],
  ["agent => api.github.com[140.82.112.5]:443", "accept", "github", "allowed"],
  ["agent => api.github.com[10.0.0.1]:443", "refuse", null, "default"],
  ["agent => api.github.com[8.8.4.65]:443", "refuse", "bad-net", "denied"],
  ["agent => model.example.com[10.0.0.1]:443", "accept", "model", "allowed"],
  ["agent => model.example.com[169.254.169.254]:443", "refuse", "guard.metadata", "guard"],
  ["agent => 8.8.4.4:8443", "accept", "partner", "allowed"],
  ["agent => evil.example[8.8.4.4]:443", "accept", "partner", "allowed"],
  ["agent => 8.8.4.64:443", "refuse", "bad-net", "denied"],
  ["agent => 9.9.9.9:53/udp", "accept", "resolver", "allowed"],
  ["agent => 9.9.9.9:53", "refuse", null, "default"],
  ["agent => 169.254.169.254:80", "refuse", "guard.metadata", "guard"],
  ["agent => metadata.google.internal:80", "refuse", "guard.metadata", "guard"],
  ["agent => 169.254.1.1:80", "refuse", "guard.link-local", "guard"],
  ["agent => 1.1.1.1:443", "refuse", null, "default"],
  ["helper => 1.1.1.1:443", "accept", "helpers", "allowed"],
  ["nobody => 1.1.1.1:443", "refuse", null, "invalid-scope"],
];
describe("enforced", () => {
  for (const [text, verdict, rule, reason] of ENFORCED) {
    test(`${text} is ${verdict} by ${rule ?? reason}`, () => {
      const decision = evaluate(HOUSE, flowOf(text), NOW_MS);
      assert.deepEqual(
        [decision.verdict, decision.rule, decision.reason, decision.observed],
        [verdict, rule, reason, false],
      );
      assert.ok(decision.why.length > 10);
    });
  }
});

describe("a rule that is only watched, in an enforced direction", () => {
  test("a deny passes and says what it would do", () => {
    const decision = evaluate(HOUSE, flowOf("203.0.113.8 -> 443"), NOW_MS);
    assert.deepEqual([decision.verdict, decision.observed, decision.rule], ["refuse", true, "trial"]);
  });
  test("an allow opens nothing", () => {
    const decision = evaluate(HOUSE, flowOf("1.2.3.4 -> 7000"), NOW_MS);
    assert.deepEqual([decision.verdict, decision.observed, decision.rule], ["refuse", false, null]);
  });
});

const WATCHED = policyOf(`
version: 1
mode: observe
scopes: {agent: {user: 4242}}
inbound:
  - {id: ssh, allow: ssh, from: any, why: administration with keys only}
  - {id: abuse, deny: any, from: 198.51.100.0/24, why: abuse report 4711}
  - {id: now, deny: any, from: 192.0.2.0/24, mode: enforce, why: this one at once}
outbound: []
`);
const OBSERVED: [flow: string, verdict: string, observed: boolean, rule: string | null][] = [
  ["1.2.3.4 -> 22", "accept", true, "ssh"],
  ["1.2.3.4 -> 23", "refuse", true, null],
  ["198.51.100.1 -> 22", "refuse", true, "abuse"],
  ["192.0.2.1 -> 22", "refuse", false, "now"],
  ["1.2.3.4 -> 18789", "refuse", false, "guard.gateway"],
  ["agent => 8.8.8.8:443", "refuse", true, null],
  ["agent => 169.254.169.254:80", "refuse", false, "guard.metadata"],
];
describe("observed", () => {
  for (const [text, verdict, observed, rule] of OBSERVED) {
    test(`${text} ${observed ? "passes" : "does not pass"}; enforce says ${verdict} by ${rule ?? "default"}`, () => {
      const decision = evaluate(WATCHED, flowOf(text), NOW_MS);
      assert.deepEqual([decision.verdict, decision.observed, decision.rule], [verdict, observed, rule]);
    });
  }
});

describe("time", () => {
  const guest = flowOf("192.0.2.1 -> 9000");
  test("an allow holds through its last day", () => {
    assert.equal(evaluate(HOUSE, guest, Date.UTC(2026, 11, 1, 23, 59, 59)).verdict, "accept");
  });
  test("an allow is gone with the first moment after it", () => {
    assert.equal(evaluate(HOUSE, guest, Date.UTC(2026, 11, 2)).verdict, "refuse");
  });
  test("a guard is back when the accepted risk expires", () => {
    assert.equal(evaluate(HOUSE, flowOf("203.0.113.9 -> 9222"), Date.UTC(2027, 0, 2)).rule, "guard.cdp");
  });
});

describe("absence", () => {
  test("without `outbound` nothing outbound is judged", () => {
    const policy = policyOf("version: 1\ninbound: []\n");
    const decision = evaluate(policy, flowOf("agent => 8.8.8.8:443"), NOW_MS);
    assert.deepEqual([decision.verdict, decision.reason], ["accept", "not-judged"]);
  });
  test("an empty allowlist denies all", () => {
    const policy = policyOf("version: 1\ninbound: []\noutbound: []\n");
    assert.equal(evaluate(policy, flowOf("agent => 8.8.8.8:443"), NOW_MS).verdict, "refuse");
    assert.equal(evaluate(policy, flowOf("1.2.3.4 -> 22"), NOW_MS).verdict, "refuse");
  });
});
