/** Words that say nothing of anybody: those of the policy language, of nftables, of our own objects and files. */
import { SERVICE_NAMES } from "../net/service.ts";
import * as policy from "../policy/parse/vocabulary.ts";
import { PRESET_NAMES } from "../policy/preset/preset.ts";

/** Keys of which only the length of what people wrote is told. */
export const TEXT_KEYS: ReadonlySet<string> = new Set(["why", "owner", "reason", "by"]);

const OF_POLICY: readonly string[] = [
  ...policy.ROOT_KEYS,
  ...policy.INBOUND_KEYS,
  ...policy.OUTBOUND_KEYS,
  ...policy.MODES,
  ...policy.DENIALS,
  ...policy.PROTOCOLS,
  ...policy.RATE_UNITS,
  ...policy.SCOPE_KINDS,
  ...policy.CONTAINER_DEFAULTS,
  ...policy.DEFAULTS_KEYS,
  ...policy.RISK_KEYS,
  ...policy.GUARD_IDS,
  ...policy.EXPECTATIONS,
  ...policy.TEST_KEYS,
  ...policy.TEST_INBOUND_KEYS,
  ...policy.TEST_OUTBOUND_KEYS,
  ...policy.ASSERT_KINDS,
  policy.AGENT_SCOPE,
  policy.WORLD_ZONE,
  policy.ANY,
  policy.PUBLIC_WEB,
  policy.GATE_PLACE,
  "container",
  "country",
  "file",
  "true",
  "false",
  ...SERVICE_NAMES,
  ...PRESET_NAMES,
];

const OF_NFTABLES = `table inet ip ip6 chain set map counter comment packets bytes type typeof verdict mark flags interval
  dynamic timeout size hook prerouting output forward input postrouting filter nat route priority policy accept drop
  reject with tcp udp icmp icmpv6 reset port unreachable return goto jump vmap meta l4proto l3proto saddr daddr sport
  dport th ct state status direction original reply new established related invalid untracked skuid skgid iifname
  oifname iif oif oifgroup fib local lo log prefix group queue threshold snaplen limit rate over burst second minute
  hour day update add delete elements expires socket cgroupv2 level redirect to dnat snat notrack helper zone protocol
  ipv4_addr ipv6_addr inet_proto inet_service ifname constant nfproto ipv4 ipv6 exthdr hopopt nexthdr frag rt srh
  exists missing and or not in not set eq ne lt gt le ge mangle raw security dstnat srcnat static admitted lease alive
  older guard guard4 guard6 deny deny4 deny6 allow allow4 allow6 any any4 any6 scope zone rule judge default inbound
  outbound gate dns web proxy count hit host life divert escape divert_output divert_prerouting count_default
  resolvers4 resolvers6 pins4 pins6 name4 name6 rate4 rate6 prefixes4 prefixes6 perminute persecond perhour perday
  flush flags no-route host-unreachable admin-prohibited port-unreachable addr-unreachable tcp-reset echo-request
  nd-neighbor-solicit nd-neighbor-advert nd-router-advert nd-router-solicit packet-too-big unreplied constant
  hoplimit ipv6-icmp destination-unreachable time-exceeded parameter-problem mld-listener-query mld-listener-report
  mld-listener-done mld2-listener-report option lsrr ssrr proto-src proto-dst replied sha256 admitting own from
  out of web4 web6 seen4 seen6 resolver4 resolver6 guests br veth podman cni lxc lxdbr incusbr virbr vnet tap unicast
  kept unreadable KiB MiB GiB watch unstamped syn fin rst ack admit icmpx ping pmtu nd nf_proto random fully-random persistent bitmask xor shift l2tp once last never guard_any4 guard_any6
  first_end first_kind limit_end limit_kind count_line count_full line end kind full room jhash seed room4 room6 pace4
  pace6 brief_tcp4 brief_tcp6 watched_dns4 watched_dns6 diverted_dns4 diverted_dns6 time_wait close`;

const OF_FILES = `events.db events.db-wal events.db-shm control.sock gate.sock policy.yaml policy.d audit.yaml
  landmark.json containment.json daemon.json init.json change.lock daemon.lock etc var lib run usr bin sbin proc sys
  seawall seawalld seawalld.service seawall-gate nft nftables systemd docker dockerd openclaw node resolv.conf
  passwd group sudoers tmp sqlite wal`;

const WORDS: ReadonlySet<string> = new Set(
  [...OF_POLICY, ...`${OF_NFTABLES} ${OF_FILES}`.split(/\s+/)].map((word) => word.toLowerCase()),
);

/** Whether a word stands for nobody: one of ours, a small number, a duration, a moment, a generation. */
export function isOurWord(word: string): boolean {
  if (WORDS.has(word.toLowerCase()) || HARMLESS.some((shape) => shape.test(word))) return true;
  // INVARIANT: no numbers here: a rule that is called by an address would tell it.
  const parts = word.toLowerCase().split(/[._]/);
  return parts.every(
    (part) => WORDS.has(part) || (part.includes("-") && part.split("-").every((one) => WORDS.has(one))),
  );
}

const HARMLESS: readonly RegExp[] = [
  /^\d{1,7}$/,
  /^\d{1,6}(?:ms|s|m|h|d|per(?:second|minute|hour|day)|KiB|MiB|GiB)$/,
  /^0x[0-9a-f]{1,8}$/,
  /^g\d{1,2}$/,
  /^(?:tcp|udp)$/,
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:?\d\d)?$/,
  /^(?:SQLITE|SEAWALL|ERR)(?:_[A-Z]+){1,4}$/,
  /^E[A-Z]{3,12}$/,
  /^[0-9]{1,3}(?:\.[0-9]{1,3}){1,2}$/,
];
