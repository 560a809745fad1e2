/** What the audit says of a packet filter against what the kernel does with a stranger's connection. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { packetOf, possibleAt } from "../../../src/core/audit/filter/evaluate.ts";
import { tablesOfIptables } from "../../../src/core/audit/filter/from-iptables.ts";
import { tablesOfNft } from "../../../src/core/audit/filter/from-nft.ts";
import type { Table } from "../../../src/core/audit/filter/model.ts";
import { parseIp } from "../../../src/core/net/ip.ts";
import { type Host, HOST4, startHost } from "../../support/host/host.ts";
import { type SeededRandom, seededRandom } from "../../support/seeded-random.ts";

const RULESETS = 30;
const PORTS = [4321, 4322, 4323] as const;
const STRANGERS = ["198.51.100.77", "203.0.113.200"] as const;
const DEADLINE_MS = 400;

/** Terms in nft's words: each is sometimes true and sometimes not for these packets. */
const NFT_TERMS = [
  "tcp dport 4321",
  "tcp dport { 4321, 4323 }",
  "tcp dport 4322-4323",
  "tcp dport != 4322",
  "ip saddr 198.51.100.0/24",
  "ip saddr != 198.51.100.77",
  "ip saddr { 192.0.2.1, 203.0.113.128-203.0.113.255 }",
  'iifname "lo"',
  'iifname != "lo"',
  "ct state new",
  "ct state established,related",
  "ct state { new, untracked }",
  "meta l4proto tcp",
  "meta l4proto udp",
  "meta nfproto ipv4",
  "ip6 saddr ::/0",
  "ip6 saddr != ::1",
  "meta mark 0",
  "meta mark & 0xff == 0x1",
  "fib daddr type local",
  "ip saddr @some",
  "ip saddr . tcp dport @pairs",
];
const NFT_VERDICTS = [
  "accept",
  "reject with tcp reset",
  "jump more",
  "goto more",
  "return",
  "counter",
  "tcp dport vmap { 4321 : accept, 4322 : jump more, 4323 : continue }",
];

const IPTABLES_TERMS = [
  "-p tcp --dport 4321",
  "-p tcp -m multiport --dports 4321,4323",
  "-p tcp --dport 4322:4323",
  "-p tcp ! --dport 4322",
  "-s 198.51.100.0/24",
  "! -s 198.51.100.77/32",
  "-i lo",
  "! -i lo",
  "-m conntrack --ctstate NEW",
  "-m conntrack --ctstate ESTABLISHED",
  "-p udp",
  "-m addrtype --dst-type LOCAL",
];
const IPTABLES_VERDICTS = [
  "-j ACCEPT",
  "-p tcp -j REJECT --reject-with tcp-reset",
  "-j MORE",
  "-g MORE",
  "-j RETURN",
  "",
];

describe("the audit's reading of rules", () => {
  let host: Host;
  let link: string;
  before(async () => {
    host = await startHost();
    for (const port of PORTS) await host.listen(port);
    link = (await host.shell("ip -o route show default | sed 's/.* dev \\([^ ]*\\).*/\\1/'")).trim();
  });
  after(() => host.stop());

  async function compare(tables: readonly Table[], text: string): Promise<number> {
    let decided = 0;
    for (const port of PORTS) {
      for (const from of STRANGERS) {
        const source = parseIp(from)?.value ?? 0;
        const packet = packetOf({ family: "ip", in: link, protocol: "tcp", port, source });
        const first = possibleAt(tables, "prerouting", packet);
        const possible = first.accept ? possibleAt(tables, "input", packet) : first;
        if (possible.accept && (possible.drop || first.drop)) continue;
        decided += 1;
        const outcome = await host.upstream.connect({ to: HOST4, port, from }, DEADLINE_MS);
        assert.equal(
          outcome === "connected",
          possible.accept,
          `${from} -> ${port}: the kernel: ${outcome}\n${text}`,
        );
      }
    }
    return decided;
  }

  test(`${RULESETS} random rulesets of nft`, async () => {
    const random = seededRandom(20_261_121);
    let decided = 0;
    for (let accepted = 0; accepted < RULESETS; ) {
      const text = nftRuleset(random);
      // nft refuses what contradicts itself (a UDP packet with a TCP reset): such a ruleset is no case.
      const loaded = await host.run(["sh", "-c", "nft flush ruleset; nft -f -"], { input: text });
      if (loaded.code !== 0) continue;
      accepted += 1;
      const tables = tablesOfNft(await host.shell("nft -j list ruleset"));
      assert.ok(tables !== undefined);
      decided += await compare(tables, text);
    }
    // A reader that calls everything unknown would pass the comparison and be of no use.
    assert.ok(decided > RULESETS * PORTS.length * STRANGERS.length * 0.9, `only ${decided} were decided`);
  });

  test(`${RULESETS} random rulesets of iptables`, async () => {
    const random = seededRandom(7);
    let decided = 0;
    for (let round = 0; round < RULESETS; round += 1) {
      const rules = [1, 2, 3, 4, 5].map(() => {
        const chain = random.pick(["INPUT", "INPUT", "MORE"]);
        return `-A ${chain} ${iptablesRule(random, chain)}`;
      });
      const text = `*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:MORE - [0:0]\n-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n${rules.join("\n")}\nCOMMIT\n`;
      await host.shell("nft flush ruleset; iptables-restore", { input: text });
      decided += await compare(tablesOfIptables(await host.shell("iptables-save"), "ip", "iptables"), text);
    }
    assert.ok(decided > RULESETS * PORTS.length * STRANGERS.length * 0.9, `only ${decided} were decided`);
  });
});

function nftRuleset(random: SeededRandom): string {
  const rule = (inMore: boolean): string => {
    const terms = random.sample(NFT_TERMS, random.below(3));
    // A chain that goes to itself is a loop, which nft refuses.
    const verdict = random.pick(inMore ? NFT_VERDICTS.filter((one) => !one.includes("more")) : NFT_VERDICTS);
    return `    ${[...terms, verdict].join(" ")}`;
  };
  const lines = (count: number, inMore: boolean): string =>
    Array.from({ length: count }, () => rule(inMore)).join("\n");
  const policy = random.once(6) ? "drop" : "accept";
  return `table inet one {
  set some { type ipv4_addr; flags interval; elements = { 198.51.100.64/26, 192.0.2.9 } ; }
  set pairs { type ipv4_addr . inet_service; flags interval; elements = { 203.0.113.0/24 . 4322-4323 } ; }
  chain more {
${lines(2, true)}
  }
  chain in {
    type filter hook input priority 0; policy ${policy};
    ct state established accept # what is compared is the first packet
${lines(4, false)}
  }
}
table inet two {
  set some { type ipv4_addr; elements = { 203.0.113.200 } ; }
  set pairs { type ipv4_addr . inet_service; elements = { 198.51.100.77 . 4321 } ; }
  chain more {
${lines(1, true)}
  }
  chain pre {
    type filter hook ${random.pick(["prerouting", "input"])} priority ${random.pick([-150, 10])}; policy accept;
    ct state established accept
${lines(2, false).replaceAll("reject with tcp reset", "drop")}
  }
}
`;
}

function iptablesRule(random: SeededRandom, chain: string): string {
  const [term = ""] = random.sample(IPTABLES_TERMS, random.below(2));
  const fits = (one: string): boolean =>
    !(one.startsWith("-p tcp") && term.includes("-p ")) && !(chain === "MORE" && one.includes("MORE"));
  const verdict = random.pick(IPTABLES_VERDICTS.filter(fits));
  return `${term} ${verdict}`.trim();
}
