/** The wire harness against a ruleset written by hand: each packet's fate is in its port. */
import { parseIp } from "../../../src/core/net/ip.ts";
import { nftLoad } from "../../support/wire/nft.ts";
import { ipBytes, type WireProtocol } from "../../support/wire/packet.ts";
import { makeProber, type Seen } from "../../support/wire/probe.ts";
import { buildWorld } from "../../support/wire/world.ts";

export interface WireReport {
  /** Sentences about what was not as it had to be. */
  readonly unruled: readonly string[];
  readonly ruled: readonly string[];
  readonly otherUser: readonly string[];
  readonly refusalsSeen: number;
  readonly strays: number;
}

const UID = 4242;
const OTHER_UID = 4999;
const REFUSALS = 20_000;
const FATES: readonly (readonly [number, Seen])[] = [
  [1000, "accept"],
  [1001, "drop"],
  [1002, "refuse"],
];
/** Port 8080 is a published one. */
const RULES = `table inet byhand {
  chain fate {
    th dport 1001 drop
    tcp dport 1002 reject with tcp reset
    th dport 1002 reject with icmpx type port-unreachable
  }
  chain portless {
    ip saddr 9.9.9.1 drop
    ip6 saddr 2620:fe::1 drop
    ip saddr 9.9.9.2 reject
    ip6 saddr 2620:fe::2 reject
  }
  chain enters {
    type filter hook prerouting priority -150; policy accept;
    iifname "lo" accept
    ct state established,related accept
    meta l4proto { icmp, ipv6-icmp, 253 } goto portless
    goto fate
  }
  chain leaves {
    type filter hook output priority -150; policy accept;
    meta skuid ${UID} goto fate
  }
}
`;

const prober = makeProber(buildWorld());
const bytes = (text: string): Uint8Array => {
  const ip = parseIp(text);
  if (ip === undefined) throw new Error(`not an address: ${text}`);
  return ipBytes(ip);
};
const PORTED = ["tcp", "udp", "sctp"] as const;
const PORTLESS = ["icmp", "plain"] as const;
const FAMILIES = [
  {
    source: "9.9.9.",
    targets: ["203.0.113.10", "192.168.77.1", "172.17.0.2", "8.8.8.8"],
    loopback: "127.0.0.1",
  },
  { source: "2620:fe::", targets: ["2001:db8:113::10", "fd77::1", "fd17::2", "2600::8"], loopback: "::1" },
] as const;

interface Shot {
  readonly family: (typeof FAMILIES)[number];
  readonly protocol: (typeof PORTED)[number];
  readonly port: number;
  readonly withOptions: boolean;
}

/** Every family, protocol and port, with a plain and a longer header. */
const SHOTS: readonly Shot[] = FAMILIES.flatMap((family) =>
  PORTED.flatMap((protocol) =>
    FATES.flatMap(([port]) => [false, true].map((withOptions) => ({ family, protocol, port, withOptions }))),
  ),
);

/** Returns a sentence for each packet from outside that did not fare as its port says. */
function inboundSurprises(expectedOf: (port: number) => Seen): string[] {
  return SHOTS.flatMap(({ family, ...probe }) =>
    family.targets.flatMap((target) =>
      ["eth0", "lan0"].flatMap((entry) => {
        const ends = { source: bytes(`${family.source}3`), destination: bytes(target) };
        const seen = prober.inbound({ interface: entry, ...ends, ...probe });
        return surprise(
          `in ${entry} ${target} ${probe.protocol}/${probe.port}`,
          seen,
          expectedOf(probe.port),
        );
      }),
    ),
  );
}

function outboundSurprises(uid: number, expectedOf: (port: number) => Seen): string[] {
  return SHOTS.flatMap(({ family, ...probe }) =>
    [...family.targets, family.loopback].flatMap((target) => {
      const seen = prober.outbound({ uid, destination: bytes(target), ...probe });
      return surprise(`out ${target} ${probe.protocol}/${probe.port}`, seen, expectedOf(probe.port));
    }),
  );
}

function surprise(what: string, seen: Seen, expected: Seen): string[] {
  return seen === expected ? [] : [`${what}: seen ${seen}, not ${expected}`];
}

function portlessSurprises(fates: readonly Seen[]): string[] {
  return FAMILIES.flatMap(({ source, targets }) =>
    PORTLESS.flatMap((protocol: WireProtocol) =>
      fates.flatMap((fate, at) => {
        const ends = { source: bytes(`${source}${at + 1}`), destination: bytes(targets[0]) };
        const seen = prober.inbound({ interface: "eth0", ...ends, protocol, port: 0 });
        return surprise(`in ${source}${at + 1} ${protocol}`, seen, fate);
      }),
    ),
  );
}

const fateOf = (port: number): Seen => FATES.find(([one]) => one === port)?.[1] ?? "accept";
const passes = (): Seen => "accept";
const unruled = [
  ...inboundSurprises(passes),
  ...outboundSurprises(UID, passes),
  ...portlessSurprises(["accept", "accept", "accept"]),
];
nftLoad(RULES);
const ruled = [
  ...inboundSurprises(fateOf),
  ...outboundSurprises(UID, fateOf),
  ...portlessSurprises(["drop", "refuse", "accept"]),
];
const otherUser = outboundSurprises(OTHER_UID, passes);
let refusalsSeen = 0;
for (let at = 0; at < REFUSALS; at += 1) {
  const { source, targets } = FAMILIES[at % 2 === 0 ? 0 : 1];
  const probe = { source: bytes(`${source}3`), destination: bytes(targets[0]), port: 1002 };
  const protocol = at % 4 < 2 ? "udp" : "tcp";
  if (prober.inbound({ interface: "eth0", protocol, ...probe }) === "refuse") refusalsSeen += 1;
}
const report: WireReport = { unruled, ruled, otherUser, refusalsSeen, strays: prober.strays() };
process.stdout.write(`${JSON.stringify(report)}\n`);
