// What else is on the machine can make the rules mean less than they say: then nothing is applied.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { type Host, startHost } from "../../support/host/host.ts";
import { type SeawallOnHost, inbound, seawallOn } from "../../support/host/seawall.ts";

const POLICY = inbound("ssh from any");
const IN_ZONE = POLICY.replace("inbound:", "zones: {uplink: br-lan}\ninbound:");
const UPLINK4 = "via 203.0.113.1 dev eth0";
const UPLINK6 = "via 2001:db8:1::1 dev eth0";

let host: Host;
let seawall: SeawallOnHost;
before(async () => {
  host = await startHost();
  seawall = seawallOn(host);
  await host.shell(`
    ip link add br-lan type bridge
    ip link add port0 type veth peer name port1
    ip link set port0 master br-lan up; ip link set port1 up
    ip link set br-lan up
    ip addr add 192.168.9.1/24 dev br-lan
    ip -6 addr add fd09::1/64 dev br-lan nodad
  `);
});
after(() => host.stop());

async function assertRefused(said: RegExp): Promise<void> {
  const { code, stderr } = await seawall.run("apply", await seawall.policy(POLICY));
  assert.equal(code, 2, stderr);
  assert.match(stderr, /SEAWALL_SCOPE/);
  assert.match(stderr, said);
  assert.equal(await host.seawallTable(), "", "nothing was changed");
}

async function assertApplied(policy: string): Promise<void> {
  await seawall.ok("apply", await seawall.policy(policy));
  assert.equal((await seawall.status()).state, "pending");
}

describe("the world enters by br-lan", () => {
  afterEach(async () => {
    await seawall.ok("down");
    await host.shell(`
      for half in 0.0.0.0/1 128.0.0.0/1; do ip route del $half 2>/dev/null || true; done
      ip route flush default; ip route add default ${UPLINK4}
      ip -6 route flush default; ip -6 route add default ${UPLINK6}
    `);
  });

  for (const [name, command] of [
    [
      "over one of two next hops",
      `ip route replace default nexthop ${UPLINK4} nexthop via 192.168.9.2 dev br-lan`,
    ],
    ["over a second default route", "ip route add default via 192.168.9.2 dev br-lan metric 500"],
    [
      "over the halves that a VPN puts before the default route",
      "ip route add 0.0.0.0/1 via 192.168.9.2 dev br-lan; ip route add 128.0.0.0/1 via 192.168.9.2 dev br-lan",
    ],
    ["over IPv6 only", "ip -6 route replace default via fd09::2 dev br-lan"],
    [
      "over one of two IPv6 next hops",
      `ip -6 route flush default; ip -6 route add default nexthop ${UPLINK6} nexthop via fd09::2 dev br-lan`,
    ],
  ] as const) {
    it(`${name}: refused`, async () => {
      await host.shell(command);
      await assertRefused(/br-lan/);
    });
  }

  it("and a zone of the policy names it: applied", async () => {
    await host.shell("ip route replace default via 192.168.9.2 dev br-lan");
    await assertApplied(IN_ZONE);
  });

  it("not at all, it only is there: applied", () => assertApplied(POLICY));
});

describe("another table", () => {
  afterEach(async () => {
    await seawall.ok("down");
    await host.shell(`
      nft destroy table inet other 2>/dev/null || nft delete table inet other 2>/dev/null || true
      iptables -t mangle -F; iptables-legacy -t mangle -F 2>/dev/null || true
    `);
  });
  const other = (rule: string): string =>
    `nft 'table inet other { chain c { type filter hook prerouting priority -160; ${rule}; }; }'`;

  for (const [name, command] of [
    ["stamps connections with our bits", other("ct mark set 0x10000000")],
    ["adds our bits to the stamp", other("ct mark set ct mark or 0x20000000")],
    ["looks a stamp up in a map", other("ct mark set ip saddr map { 198.51.100.7 : 0x10000000 }")],
    ["copies a packet mark that has our bits", other("meta mark set 0x10000000; ct mark set meta mark")],
    [
      "stamps with our bits by iptables",
      "iptables -t mangle -A PREROUTING -j CONNMARK --set-xmark 0x10000000/0xf0000000",
    ],
  ] as const) {
    it(`${name}: refused`, async () => {
      await host.shell(command);
      await assertRefused(/upper eight bits/);
    });
  }

  it("stamps connections with bits that are not ours: applied", async () => {
    await host.shell(other("ct mark set ct mark or 0x00000001"));
    await assertApplied(POLICY);
  });
});
