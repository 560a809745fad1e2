import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { policyOf } from "../../test/support/policy.ts";
import { SeawallError } from "../core/base/error.ts";
import { refuseUnjudgedUplink } from "./surroundings.ts";

const ROWS: readonly (readonly [verdict: "passes" | "refused", uplinks: string, zones: string])[] = [
  ["passes", "eth0", "{}"],
  ["passes", "", "{}"],
  ["passes", "eth0 wg0", "{}"],
  ["passes", "br0", "{}"],
  ["refused", "br-lan", "{}"],
  ["refused", "docker0", "{}"],
  ["refused", "tailscale0", "{}"],
  ["refused", "eth0 br-lan", "{}"],
  ["refused", "br-lan", "{office: eth1}"],
  ["refused", "br-lan", "{office: br-la}"],
  ["passes", "br-lan", "{uplink: br-lan}"],
  ["passes", "br-lan", "{uplink: br-*}"],
  ["passes", "eth0 br-lan", "{office: [eth1, br-lan]}"],
];

describe("an uplink that is inside by its name", () => {
  for (const [verdict, uplinks, zones] of ROWS) {
    it(`default routes by [${uplinks}], zones ${zones}: ${verdict}`, () => {
      const policy = policyOf(`version: 1\nzones: ${zones}\ninbound: []\n`);
      const ask = () => refuseUnjudgedUplink(policy, uplinks.split(" "));
      if (verdict === "passes") assert.doesNotThrow(ask);
      else assert.throws(ask, (cause) => cause instanceof SeawallError && cause.code === "SEAWALL_SCOPE");
    });
  }
});
