// Containers behind bridges of any name: what the world sends to them is judged, by their own address too.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { eventually } from "../../support/host/eventually.ts";
import { HOST4, type Host, startHost } from "../../support/host/host.ts";
import { type SeawallOnHost, inbound, seawallOn } from "../../support/host/seawall.ts";

const POLICY = inbound("8080 from any");
const FROM = "198.51.100.7";
const SERVE = `for (const port of [80, 8080]) require("node:net").createServer((one) => one.end()).listen(port, "::")`;

/** A namespace `name` with a web server, behind an interface of the host: a bridge, or the veth itself. */
const neighbour = (name: string, net: number, bridge: string | null): string => `
  ip netns add ${name}
  ip link add v-${name} type veth peer name e0 netns ${name}
  ${bridge === null ? "" : `ip link add ${bridge} type bridge; ip link set ${bridge} up; ip link set v-${name} master ${bridge}`}
  ip link set v-${name} up
  ip addr add 10.9.${net}.1/24 dev ${bridge ?? `v-${name}`}
  ip -6 addr add fd09:${net}::1/64 dev ${bridge ?? `v-${name}`} nodad
  ip -n ${name} link set e0 up
  ip -n ${name} addr add 10.9.${net}.2/24 dev e0
  ip -n ${name} -6 addr add fd09:${net}::2/64 dev e0 nodad
  ip -n ${name} route add default via 10.9.${net}.1
  ip -n ${name} -6 route add default via fd09:${net}::1
`;

let host: Host;
let seawall: SeawallOnHost;
before(async () => {
  host = await startHost();
  seawall = seawallOn(host);
  await host.shell(`
    sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
    ${neighbour("box", 1, "web")}
    ${neighbour("far", 2, null)}
    ip route add default via 10.9.2.2 metric 900
    nft 'table ip publish { chain c { type nat hook prerouting priority dstnat; fib daddr type local tcp dport { 8080, 8081 } dnat to 10.9.1.2:80; }; }'
  `);
  for (const name of ["box", "far"]) {
    host.start(["ip", "netns", "exec", name, process.execPath, "-e", SERVE]);
  }
  // Neighbour discovery on a fresh bridge takes a second or two.
  for (const to of ["10.9.1.2", "10.9.2.2", "fd09:1::2"]) {
    assert.ok(await eventually(async () => (await reach(to, 80)) === "connected", true), to);
  }
});
after(() => host.stop());

const reach = (to: string, port: number) =>
  host.upstream.connect({ to, port, ...(to.includes(":") ? {} : { from: FROM }) });

describe("a container behind a bridge called `web`", () => {
  const ROWS: readonly (readonly [name: string, to: string, port: number, expected: string])[] = [
    ["by its own address", "10.9.1.2", 80, "refused"],
    ["by its own IPv6 address", "fd09:1::2", 80, "refused"],
    ["by its own address, on a port that a rule allows", "10.9.1.2", 8080, "connected"],
    ["by a published port that no rule allows", HOST4, 8081, "refused"],
    ["by a published port that a rule allows", HOST4, 8080, "connected"],
  ];
  for (const [name, to, port, expected] of ROWS) {
    it(`${name}: connected without Seawall, ${expected} with it`, async () => {
      assert.equal(await eventually(() => reach(to, port), "connected"), "connected");
      await seawall.ok("apply", await seawall.policy(POLICY));
      try {
        assert.equal(await reach(to, port), expected);
      } finally {
        await seawall.ok("down");
      }
    });
  }
});

describe("beside a policy in force", () => {
  before(async () => void (await seawall.ok("apply", await seawall.policy(POLICY))));
  after(() => seawall.ok("down"));

  it("a bridge that is made later is judged too", async () => {
    await host.shell(neighbour("late", 3, "apps"));
    host.start(["ip", "netns", "exec", "late", process.execPath, "-e", SERVE]);
    assert.ok(await eventually(async () => (await reach("10.9.3.2", 8080)) === "connected", true));
    assert.equal(await reach("10.9.3.2", 80), "refused");
  });

  it("what is in transit to another uplink is let through", async () => {
    assert.equal(await reach("10.9.2.2", 80), "connected");
  });
});
