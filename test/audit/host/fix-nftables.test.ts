/** FW-010 under a real systemd: nftables.service is mended over SSH, and nobody's rules go, then or later. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { commandsOf } from "../../../src/core/audit/fix/fix.ts";
import { type Finished, describe as ended } from "../../support/host/command.ts";
import { eventually } from "../../support/host/eventually.ts";
import { CHECKOUT, type Machine, startMachine } from "../../support/machine/machine.ts";
import type { Seen } from "./audit-on.ts";

const DEADLINE_MS = 120_000;

const ROWS = [
  {
    name: "Debian's stock file, which filters nothing, beside UFW",
    rules: `#!/usr/sbin/nft -f
flush ruleset
table inet filter {
  chain input { type filter hook input priority filter; }
  chain forward { type filter hook forward priority filter; }
  chain output { type filter hook output priority filter; }
}
`,
    more: "ufw allow 2222/tcp; ufw --force enable; systemctl enable --quiet ufw; systemctl start ufw",
    says: /systemctl disable nftables/,
  },
  {
    name: "a file that is the only firewall, beside a table of another program",
    rules: `#!/usr/sbin/nft -f
  flush   ruleset
table inet filter {
  chain input { type filter hook input priority filter; policy drop; iif lo accept; ct state established,related accept; tcp dport 2222 accept; icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept; }
}
`,
    more: "rm -rf /etc/ufw",
    says: /is a firewall of this host \(inet filter\)/,
  },
] as const;

for (const { name, rules, more, says } of ROWS)
  describe(`FW-010: ${name}`, () => {
    let machine: Machine;
    before(async () => {
      machine = await startMachine({ lower: "/", systemd: true });
      const state = "systemctl is-system-running | grep -qE 'running|degraded'";
      assert.equal(await eventually(async () => (await machine.run(["sh", "-c", state])).code, 0), 0);
      await machine.shell(WIRING);
      await machine.shell("cat >/etc/nftables.conf", { input: rules });
      await machine.shell(`systemctl enable --quiet nftables; systemctl start nftables; ${more}`, {
        deadlineMs: DEADLINE_MS,
      });
      await machine.shell(
        "nft 'table ip other { chain c { type nat hook prerouting priority -100; tcp dport 1 accept; }; }'",
      );
    });
    after(() => machine.stop());

    const login = (command: string, input = ""): Promise<Finished> =>
      machine.run(["ip", "netns", "exec", "peer", ...SSH, "root@203.0.113.10", "--", command], {
        input,
        deadlineMs: DEADLINE_MS,
      });
    const look = async (): Promise<Seen | undefined> => {
      const result = await login(`${CHECKOUT}/seawall audit --json --no-history --quick --check FW-010`);
      assert.ok(result.code === 0 || result.code === 1, ended(result));
      return (JSON.parse(result.stdout) as { findings: Seen[] }).findings[0];
    };
    const tables = (): Promise<string> => machine.shell("nft list tables | sort");

    test("the fix is pasted, a new login works, every table is there and the check passes", async () => {
      const found = await look();
      assert.equal(found?.status, "fail", found?.evidence.join("\n"));
      const fix = found.fix ?? "";
      assert.match(fix, says);
      assert.ok(commandsOf(fix).length > 0, fix);
      const there = await tables();
      assert.match(there, /table ip other/);
      const pasted = await login("sh -e", fix);
      assert.equal(pasted.code, 0, `${fix}\n${ended(pasted)}`);
      assert.equal((await login("echo in")).stdout.trim(), "in");
      assert.equal(await tables(), there);
      const again = await look();
      assert.equal(again?.status, "pass", `${fix}\n${again?.evidence.join("\n") ?? ""}`);
    });

    test("a restart of the unit, as an upgrade of its package does, takes nobody's table", async () => {
      await machine.shell("systemctl restart nftables", { deadlineMs: DEADLINE_MS });
      assert.match(await tables(), /table ip other/);
      assert.equal((await login("echo in")).stdout.trim(), "in");
    });
  });

const SSH: readonly string[] = [
  "ssh",
  "-F",
  "none",
  "-i",
  "/run/key",
  "-p",
  "2222",
  ...[
    "BatchMode=yes",
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "LogLevel=ERROR",
    "ConnectTimeout=5",
  ].flatMap((option) => ["-o", option]),
];

const WIRING = `ip link set lo up; ip netns add peer
ip link add eth0 type veth peer name eth0 netns peer
ip address add 203.0.113.10/24 dev eth0; ip link set eth0 up; ip route add default via 203.0.113.1
ip -n peer address add 203.0.113.1/24 dev eth0; ip -n peer link set eth0 up; ip -n peer link set lo up
mkdir -p -m 755 /run/sshd; mkdir -p -m 700 /root/.ssh; chmod 700 /root
rm -rf /etc/ssh/sshd_config.d /etc/ssh/ssh_host_*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
ssh-keygen -q -t ed25519 -N '' -f /run/key; cat /run/key.pub >/root/.ssh/authorized_keys
printf 'Port 2222\\nPermitRootLogin yes\\nUsePAM no\\nUseDNS no\\nPidFile /run/sshd.pid\\n' >/etc/ssh/sshd_config
/usr/sbin/sshd
`;
