import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { TableFamily } from "./family.ts";
import { lostRules, type OwnedTable, withOwners } from "./table-owner.ts";

const ROWS: readonly (readonly [label: string, chains: readonly string[], owners: readonly string[]])[] = [
  ["inet seawall", ["prerouting", "g1/input"], ["Seawall"]],
  ["ip seawall", ["input"], []],
  ["ip filter", ["INPUT", "FORWARD", "OUTPUT"], []],
  ["ip filter", ["INPUT", "ufw-before-input", "ufw-user-input"], ["UFW"]],
  ["ip6 filter", ["INPUT", "ufw6-before-input"], ["UFW"]],
  [
    "ip filter",
    ["INPUT", "ufw-user-input", "DOCKER-USER", "DOCKER", "f2b-sshd"],
    ["UFW", "Docker", "fail2ban"],
  ],
  ["ip nat", ["PREROUTING", "DOCKER"], ["Docker"]],
  ["ip nat", ["OUTPUT", "DOCKER_OUTPUT", "DOCKER_POSTROUTING"], ["Docker"]],
  ["ip nat", ["DOCKERISH", "my-ufw-rules"], []],
  ["ip docker-bridges", ["filter-FORWARD"], ["Docker"]],
  ["inet f2b-table", ["f2b-chain"], ["fail2ban"]],
  ["inet firewalld", ["filter_INPUT"], ["firewalld"]],
  ["inet firewalld_policy_drop", [], ["firewalld"]],
  ["ip filter", ["LIBVIRT_INP", "LIBVIRT_FWO"], ["libvirt"]],
  ["ip6 libvirt_network", ["guest_output"], ["libvirt"]],
  ["ip filter", ["ts-input", "ts-forward"], ["Tailscale"]],
  ["ip nat", ["ts-postrouting"], ["Tailscale"]],
  ["ip filter", ["ts-own"], []],
  ["inet netavark", ["INPUT"], ["Podman"]],
  ["ip nat", ["NETAVARK-HOSTPORT-DNAT", "CNI-HOSTPORT-DNAT"], ["Podman"]],
  ["ip crowdsec", ["crowdsec-chain-input"], ["CrowdSec"]],
  ["ip6 crowdsec6", ["crowdsec6-chain-input"], ["CrowdSec"]],
  ["inet lxd", ["in.lxdbr0"], ["LXD"]],
  ["inet incus", ["in.incusbr0"], ["Incus"]],
  ["ip nm-shared-eth1", ["filter_forward"], ["NetworkManager"]],
  ["ip io.systemd.nat", ["prerouting"], ["systemd-networkd"]],
  ["ip wg-quick-wg0", ["preraw"], ["wg-quick"]],
  ["ip kube-proxy", ["services"], ["Kubernetes"]],
  ["ip nat", ["KUBE-SERVICES", "cali-PREROUTING"], ["Kubernetes", "Calico"]],
  ["inet foomuuri", ["input"], ["foomuuri"]],
  ["inet filter", ["input", "forward", "output"], []],
];

describe("whose rules a table holds", () => {
  for (const [label, chains, owners] of ROWS) {
    test(`${label} with ${chains.join(", ") || "no chain"}: ${owners.join(", ") || "nobody known"}`, () => {
      assert.deepEqual(table(label, ...chains).owners, owners);
    });
  }
});

const UFW = table("ip filter", "INPUT", "ufw-user-input", "DOCKER-USER");
const NAT = table("ip nat", "DOCKER");
const OWN = table("inet filter", "input");

describe("what was lost", () => {
  test("nothing when nothing changed", () => {
    assert.deepEqual(lostRules([UFW, NAT, OWN], [OWN, NAT, UFW]), []);
  });

  test("everything after a flush, what nobody is known for last", () => {
    assert.deepEqual(lostRules([OWN, UFW, NAT], []), [
      { owner: "UFW", tables: ["ip filter"], everything: true },
      { owner: "Docker", tables: ["ip filter", "ip nat"], everything: true },
      { owner: null, tables: ["inet filter"], everything: true },
    ]);
  });

  test("a program's part of a table that another one has made again", () => {
    const again = table("ip filter", "INPUT", "ufw-user-input");
    assert.deepEqual(lostRules([UFW, NAT], [again, NAT]), [
      { owner: "Docker", tables: ["ip filter"], everything: false },
    ]);
  });

  test("a table without a known owner is not lost when somebody moved in", () => {
    assert.deepEqual(lostRules([OWN], [table("inet filter", "input", "f2b-sshd")]), []);
  });

  test("what is new is no loss", () => {
    assert.deepEqual(lostRules([], [UFW, NAT, OWN]), []);
  });
});

function table(label: string, ...chains: readonly string[]): OwnedTable {
  const [family, name = ""] = label.split(" ");
  return withOwners({ family: family as TableFamily, name, chains });
}
