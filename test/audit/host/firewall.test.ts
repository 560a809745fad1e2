/** Real nft, iptables, ufw and dockerd: what a stranger reaches, by the kernel's own rules. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Host, HOST4, startHost } from "../../support/host/host.ts";
import { inbound, seawallOn } from "../../support/host/seawall.ts";
import { type Audited, audited, said } from "./audit-on.ts";

type Row = {
  readonly name: string;
  readonly script: string;
  readonly expect: Readonly<Record<string, readonly [status: string, says?: RegExp]>>;
};

const FLUSH =
  "nft flush ruleset; iptables -P INPUT ACCEPT; iptables -F; ip6tables -P INPUT ACCEPT; ip6tables -F; nft flush ruleset";

const ROWS: readonly Row[] = [
  {
    name: "nothing filters",
    script: ":",
    expect: {
      "FW-001": ["fail", /accepted/],
      "FW-003": ["fail"],
      "FW-004": ["fail", /4321/],
      "FW-006": ["fail"],
      "FW-007": ["not-applicable"],
      "FW-016": ["fail"],
    },
  },
  {
    name: "nft drops by policy and allows SSH and the web",
    script: `nft -f - <<'X'
table inet own { set web { type inet_service; elements = { 80, 443 }; }
chain in { type filter hook input priority 0; policy drop; iif lo accept; ct state vmap { established : accept, related : accept }; tcp dport { 22, 8000-8010 } accept; tcp dport @web accept; icmpv6 type { nd-neighbor-solicit } accept; }
}
X`,
    expect: {
      "FW-001": ["pass", /inet own in/],
      "FW-003": ["pass"],
      "FW-004": ["pass"],
      "FW-005": ["pass"],
      "FW-006": ["pass"],
      "FW-009": ["pass"],
    },
  },
  {
    name: "nft drops IPv4 only",
    script: `nft -f - <<'X'
table ip own { chain in { type filter hook input priority 0; policy drop; iif lo accept; }
}
X`,
    expect: { "FW-001": ["fail", /IPv6/], "FW-005": ["fail", /open over IPv6/], "FW-006": ["fail", /IPv6/] },
  },
  {
    name: "an earlier chain accepts, a later one drops: dropped",
    script: `nft -f - <<'X'
table inet a { chain in { type filter hook input priority -10; policy accept; tcp dport 18789 accept; }
}
table inet b { chain in { type filter hook input priority 10; policy drop; iif lo accept; }
}
X`,
    expect: { "FW-006": ["pass", /inet b in/] },
  },
  {
    name: "a rule that only some packets meet",
    script: `nft -f - <<'X'
table inet a { chain in { type filter hook input priority 0; policy drop; iif lo accept; tcp dport 18789 meta cgroup 5 accept; }
}
X`,
    expect: { "FW-006": ["unknown", /cannot read/] },
  },
  {
    name: "iptables drops by policy, with a chain of its own",
    script: `iptables -P INPUT DROP; iptables -N OWN; iptables -A INPUT -i lo -j ACCEPT; iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT; iptables -A INPUT -p tcp -j OWN; iptables -A OWN -p tcp -m multiport --dports 22,443 -j ACCEPT; iptables -A OWN -s 10.0.0.0/8 -j ACCEPT
ip6tables -P INPUT DROP; ip6tables -A INPUT -i lo -j ACCEPT`,
    expect: { "FW-001": ["pass", /iptables filter INPUT/], "FW-004": ["pass"], "FW-006": ["pass"] },
  },
  {
    name: "iptables opens the gateway's port to all",
    script: `iptables -P INPUT DROP; ip6tables -P INPUT DROP; iptables -A INPUT -i lo -j ACCEPT; iptables -A INPUT -p tcp --dport 18789 -j ACCEPT`,
    expect: { "FW-006": ["fail", /18789 is let through \(IPv4/] },
  },
  {
    name: "loopback itself is dropped",
    script: `nft -f - <<'X'
table inet a { chain in { type filter hook input priority 0; policy drop; }
}
X`,
    expect: { "FW-009": ["fail", /loopback is dropped/] },
  },
  {
    name: "outgoing connections are dropped",
    script: `nft -f - <<'X'
table inet a { chain out { type filter hook output priority 0; policy drop; oif lo accept; ip daddr 198.51.100.0/24 accept; }
}
X`,
    expect: { "FW-016": ["pass"] },
  },
];

describe("rules of nft and iptables", () => {
  let host: Host;
  before(async () => {
    host = await startHost();
    await host.listen(4321);
  });
  after(() => host.stop());

  for (const { name, script, expect } of ROWS) {
    test(name, async () => {
      await host.shell(`${FLUSH}\n${script}`);
      const rules = await host.shell("nft list ruleset");
      const audit = await audited(host, "--check", Object.keys(expect).join(","));
      for (const [id, [status, says]] of Object.entries(expect)) {
        assert.equal(audit[id]?.status, status, `${id}: ${said(audit, id)}`);
        if (says !== undefined) assert.match(said(audit, id), says, id);
      }
      assert.equal(await host.shell("nft list ruleset"), rules, "the audit changed the rules");
    });
  }
});

describe("Seawall's own table", () => {
  let host: Host;
  before(async () => {
    host = await startHost({ sshd: { ports: [22] } });
    await host.listen(18_789);
    await seawallOn(host).enforce(inbound("ssh from any"));
  });
  after(() => host.stop());

  test("is read like any other: SSH is let through, the gateway is not, the default is to refuse", async () => {
    const audit = await audited(host, "--check", "FW-001,FW-003,FW-004,FW-005,FW-006,FW-007");
    for (const id of ["FW-001", "FW-003", "FW-004", "FW-005", "FW-006", "FW-007"])
      assert.equal(audit[id]?.status, "pass", `${id}: ${said(audit, id)}`);
    assert.match(said(audit, "FW-006"), /inet seawall/);
    // The audit's word is held against a real stranger's connections.
    assert.equal(await host.upstream.connect({ to: HOST4, port: 22 }), "connected");
    assert.equal(await host.upstream.connect({ to: HOST4, port: 18_789 }), "refused");
  });
});

describe("ufw beside dockerd", () => {
  let host: Host;
  before(async () => {
    host = await startHost({
      ufw: ["allow 22/tcp"],
      docker: {
        containers: [
          { name: "openclaw-gateway", publish: [{ hostPort: 8080, port: 80 }] },
          { name: "inside", publish: [{ hostPort: 8081, port: 80, hostAddress: "127.0.0.1" }] },
        ],
      },
    });
  });
  after(() => host.stop());

  const look = (...ids: readonly string[]): Promise<Audited> => audited(host, "--check", ids.join(","));

  test("ufw denies, and the published port is reachable all the same", async () => {
    const audit = await look("FW-001", "FW-002", "FW-003", "FW-006", "FW-011", "DKR-007");
    assert.equal(audit["FW-001"]?.status, "pass", said(audit, "FW-001"));
    assert.equal(audit["FW-002"]?.status, "pass", said(audit, "FW-002"));
    assert.equal(audit["FW-003"]?.status, "pass", said(audit, "FW-003"));
    assert.equal(audit["FW-006"]?.status, "pass", said(audit, "FW-006"));
    assert.equal(audit["FW-011"]?.status, "fail", said(audit, "FW-011"));
    assert.match(said(audit, "FW-011"), /openclaw-gateway: .*8080 -> 80/);
    assert.doesNotMatch(said(audit, "FW-011"), /8081/);
    assert.equal(audit["DKR-007"]?.status, "fail");
    // The audit's word is held against a real stranger's connection.
    assert.equal(await host.upstream.connect({ to: HOST4, port: 8080 }), "connected");
  });

  test("a container as Docker starts it by default: root, with capabilities", async () => {
    const audit = await look(
      "DKR-001",
      "DKR-002",
      "DKR-003",
      "DKR-009",
      "DKR-010",
      "DKR-011",
      "DKR-013",
      "DKR-015",
      "DKR-016",
      "FW-014",
    );
    for (const id of ["DKR-001", "DKR-002", "DKR-003", "DKR-009", "DKR-010", "DKR-016"])
      assert.equal(audit[id]?.status, "fail", `${id}: ${said(audit, id)}`);
    assert.match(said(audit, "DKR-001"), /uid 0/);
    assert.match(said(audit, "DKR-002"), /0xa80425fb/);
    assert.equal(audit["DKR-013"]?.status, "pass", said(audit, "DKR-013"));
    assert.equal(audit["FW-014"]?.status, "pass");
  });

  test("a DOCKER-USER rule by the container's port, for an interface that does not exist", async () => {
    await host.shell("iptables -I DOCKER-USER -i ens99 -p tcp --dport 80 -j RETURN");
    const audit = await look("FW-012", "FW-013");
    assert.equal(audit["FW-012"]?.status, "fail", said(audit, "FW-012"));
    assert.equal(audit["FW-013"]?.status, "fail");
    assert.match(said(audit, "FW-013"), /ens99/);
    await host.shell("iptables -D DOCKER-USER 1");
  });

  test("ufw that is on in its file and gone from the kernel", async () => {
    await host.shell("iptables -F INPUT; ip6tables -F INPUT");
    const audit = await look("FW-002");
    assert.equal(audit["FW-002"]?.status, "fail", said(audit, "FW-002"));
    await host.ufw.reload();
    await host.shell("ufw --force disable >/dev/null; ufw --force enable >/dev/null");
  });

  test("a table that drops forwarded packets closes the published port", async () => {
    const links = (await host.shell("ip -o route show default | sed 's/.* dev \\([^ ]*\\).*/\\1/'")).trim();
    await host.shell(
      `nft add table inet guard; nft 'add chain inet guard f { type filter hook forward priority -10; }'
nft add rule inet guard f ct state established,related accept; nft add rule inet guard f iifname "${links}" drop`,
    );
    const audit = await look("FW-011");
    assert.equal(audit["FW-011"]?.status, "pass", said(audit, "FW-011"));
  });
});
