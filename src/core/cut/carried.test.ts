import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { policyOf } from "../../../test/support/policy.ts";
import { createCarrier } from "./carried.ts";

const HEAD = `version: 1
mode: {inbound: observe, outbound: enforce}
scopes: {agent: {user: 4242}}
inbound: []
outbound:
  - {id: listed, allow: [198.51.100.7], port: 993, why: a rule of this test}
`;
const MAIL = "  - {id: mail, allow: mail.example.com, port: [443, 993], why: a rule of this test}\n";
const MORE = "  - {id: more, allow: more.example.com, port: 22, why: a rule of this test}\n";
const ALSO = "  - {id: also, allow: also.example.com, port: 993, why: a rule of this test}\n";
const OTHER = "  - {id: mail, allow: other.example.com, port: [443, 993], why: a rule of this test}\n";
const BRIEF =
  "  - {id: mail, allow: mail.example.com, port: [443, 993], expires: 2099-01-01, why: a rule of this test}\n";
const BOX = '  - {id: box, allow: "container:db", port: 993, why: a rule of this test}\n';
const DENIED = "  - {id: denied, deny: mail.example.com, why: a rule of this test}\n";
const DENIED_ADDRESS = "  - {id: denied, deny: 192.0.2.0/24, why: a rule of this test}\n";
const NOW_MS = Date.UTC(2026, 10, 21);
const [BEFORE, AFTER] = [3, 4];
const WATCHED = (rules: string): string => (HEAD + rules).replace("outbound: enforce", "outbound: observe");

function carried(
  from: string,
  to: string,
  destination: string,
  port: number,
  mark = 0x3100_ca6c,
  status = 0,
) {
  const tuple = {
    protocol: 6,
    source: "203.0.113.10",
    sourcePort: 4_000,
    destination,
    destinationPort: port,
  };
  const carrier = createCarrier(
    { policy: policyOf(from), generation: BEFORE },
    { policy: policyOf(to), generation: AFTER },
    NOW_MS,
  );
  return carrier({ original: tuple, reply: tuple, mark, status, id: 1, tcpState: 3 });
}

describe("what a name admitted", () => {
  for (const [isCarried, from, to, why] of [
    [true, MAIL, MAIL + MORE, "lives when its rule stays"],
    [false, MAIL, MORE, "is judged when its rule goes"],
    [false, MAIL, OTHER, "is judged when its rule names somebody else"],
    [true, MAIL, MAIL + ALSO, "lives when another name is added for the same port"],
    [false, MAIL + ALSO, MAIL, "is judged when it may have been the rule that goes"],
    [false, MAIL, MAIL + DENIED, "is judged when a name is denied"],
    [true, MAIL + DENIED, MAIL + DENIED, "lives when the same names are denied as before"],
    [false, MAIL, MAIL + DENIED_ADDRESS, "is judged when its address is denied"],
    [false, MAIL + BOX, MAIL + BOX, "is judged when it may be a container's"],
    [false, MAIL, BRIEF, "is judged when its rule expires now"],
  ] as const) {
    test(why, () =>
      assert.equal(carried(HEAD + from, HEAD + to, "192.0.2.9", 993), isCarried ? 0x4100_0000 : null),
    );
  }
  test("is judged when everything passed before", () =>
    assert.equal(carried(WATCHED(MAIL), HEAD + MAIL, "192.0.2.9", 993), null));
});

describe("nothing else is taken over", () => {
  for (const [why, destination, port, mark, status] of [
    ["what an address allows", "198.51.100.7", 993, 0x3100_0000, 0],
    ["what the gate reads", "192.0.2.9", 443, 0x3100_0000, 0],
    ["a port of no rule", "192.0.2.9", 22, 0x3100_0000, 0],
    ["another generation", "192.0.2.9", 993, 0x2100_0000, 0],
    ["no generation", "192.0.2.9", 993, 0x0100_0000, 0],
    ["what came in", "192.0.2.9", 993, 0x3000_0000, 0],
    ["the gate's own", "192.0.2.9", 993, 0x3e00_0000, 0],
    ["what is judged with every packet", "192.0.2.9", 993, 0x3f00_0000, 0],
    ["what goes elsewhere than it says", "192.0.2.9", 993, 0x3100_0000, 0x20],
    ["what is guarded", "169.254.169.254", 993, 0x3100_0000, 0],
  ] as const) {
    test(why, () => assert.equal(carried(HEAD + MAIL, HEAD + MAIL, destination, port, mark, status), null));
  }
});
