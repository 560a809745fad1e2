/** What Seawall says to the peers' cases about DNS, TLS and ways around. */
import { helloWith } from "../gate/hello.ts";
import { type Answer, type Answers, none, row } from "./answer.ts";

const DNS = "test/gate/dns.test.ts";
const LIFE = "test/gate/dns-life.test.ts";
const TLS = "test/gate/tls.test.ts";
const HTTP = "test/gate/http.test.ts";
const PROXY = "test/gate/proxy.test.ts";
const JUDGE = "src/core/gate/judge.test.ts";
const BYPASS = "test/kernel/gate/bypass.test.ts";
const NAMES = "test/kernel/gate/names.test.ts";

const BOTH_FAMILIES = "IPv6 is judged like IPv4, so it is answered like it";
const REAL = "answers are real addresses: made-up ones are refused by OpenClaw itself";
const NXDOMAIN =
  "what is not listed does not exist (NXDOMAIN with the reason), so that programs give up at once";
const POOL = "there is no pool of made-up addresses";
const NO_TUNNEL = "DNS tunnel: nothing goes upstream for a name that is not listed";
const SIX = "an IPv6 address is answered too";
const EXACT_TXT =
  "a name that is listed exactly has all its records; below a wildcard there are only addresses";
const OTHER_TYPES = "DNS tunnel: below a wildcard TXT, MX and SRV are not answered";
const ECH = "Encrypted Client Hello: HTTPS and SVCB are empty and nobody is asked";
const LITERAL = "TLS to the address ${address}";
const OWN_ADDRESS = "hard-coded address: a listed name at an address that is not its own is refused";
const NEIGHBOUR =
  "the neighbour on the same address: a name that was never resolved to it is asked for, and only then passes";
const ONE_NAME = "a name in upper case and with a dot is the same name";

const query = (bytes: string, says: string): Answer => ({ by: "query", bytes, says });
const hello = (bytes: () => Uint8Array, says: string, differs?: string): Answer => ({
  by: "hello",
  bytes,
  says,
  ...(differs === undefined ? {} : { differs }),
});
const sniff = (bytes: string, says: string): Answer => ({ by: "sniff", bytes, says });

const PLAIN = helloWith([["example.com"]]);
/** Places in PLAIN: record header 5, message header 4, version 2, random 32. */
const AT = { sessionId: 43, cipherSuites: 44, extensionLength: 54 } as const;
const HEADER_BYTES = 43;

function changed(at: number, ...bytes: readonly number[]): Uint8Array {
  const copy = Uint8Array.from(PLAIN);
  copy.set(bytes, at);
  return copy;
}

/** A hello that ends behind its compression methods (RFC 5246 7.4.1.2 allows that). */
function withoutExtensions(): Uint8Array {
  const body = PLAIN.subarray(9, HEADER_BYTES + 1 + 4 + 2);
  const message = Uint8Array.from([1, 0, 0, body.length, ...body]);
  return Uint8Array.from([22, 3, 1, 0, message.length, ...message]);
}

function inTwoRecords(): Uint8Array {
  const body = PLAIN.subarray(5);
  const half = body.length >> 1;
  const record = (part: Uint8Array): number[] => [22, 3, 1, 0, part.length, ...part];
  return Uint8Array.from([...record(body.subarray(0, half)), ...record(body.subarray(half))]);
}

/** A name of 62 + 63 + 63 + 61 letters: 254 bytes with its lengths and the end. */
const LONG_NAME = [62, 63, 63, 61]
  .map((length) => length.toString(16).padStart(2, "0") + "61".repeat(length))
  .join("");

export const WIRE_ANSWERS: Answers = {
  "dns-wire-001": row(DNS, "the case in which a client wrote the name is kept", REAL),
  "dns-wire-002": row(DNS, SIX, BOTH_FAMILIES),
  "dns-wire-005": query("1234 0100 0001 0000 0000 0000 07 6578", "formerr"),
  "dns-wire-007": query("1234 0100 0002 0000 0000 0000 0161 00 0001 0001 0162 00 0001 0001", "formerr"),
  "dns-wire-008": query(`1234 0100 0001 0000 0000 0000 ${LONG_NAME} 00 0001 0001`, "read"),
  "dns-wire-010": query("1234 0900 0001 0000 0000 0000 0161 00 0001 0001", "notimp"),
  "dns-wire-011": row(DNS, "localhost is this host, and nobody is asked"),
  "dns-wire-013": row(DNS, "an address as a name is refused, and nobody is asked", POOL),
  "dns-wire-014": row(DNS, "TCP: a query that comes byte by byte is answered"),
  "dns-wire-015": row(DNS, "TCP: a length that no query has ends the connection without an answer"),
  "dns-wire-016": none(POOL),
  "dns-wire-017": none(POOL),

  "dns-policy-002": row(
    LIFE,
    "that a name does not exist is kept for as long as the zone says, at most half a minute",
  ),
  "dns-policy-004": row(DNS, SIX, BOTH_FAMILIES),
  "dns-policy-005": row(DNS, "a text record of a name that is listed exactly is asked for", EXACT_TXT),
  "dns-policy-007": row(DNS, "rebinding: a private address is refused with its reason", NXDOMAIN),
  "dns-policy-009": row(
    LIFE,
    "a TTL of zero is never kept, and is pinned all the same",
    "a pin lives 90 s at least",
  ),
  "dns-policy-011": row(
    LIFE,
    "an answer is given again until its TTL is over, with what is left of it",
    "pins outlive answers, so the TTL is the zone's, up to an hour",
  ),
  "dns-policy-012": row(DNS, "CNAME: a chain of more than eight is a failure"),
  "dns-policy-014": row(LIFE, "what is cut over UDP is asked again over TCP"),
  "dns-policy-015": row(
    LIFE,
    "cache poisoning: a reply in another case, with another id or question is not taken",
  ),
  "dns-policy-016": row(
    "test/fuzz/dns.test.ts",
    "attack: 5000 records, each a name of 127 labels by a chain of pointers, are refused unread",
    "the limit is on records and addresses, not on bytes",
  ),
  "dns-policy-019": row(PROXY, "CONNECT to a listed host on another port"),
  "dns-policy-021": row(DNS, NO_TUNNEL, NXDOMAIN),
  "dns-policy-026": row(DNS, NO_TUNNEL, NXDOMAIN),
  "dns-policy-028": row(DNS, SIX, BOTH_FAMILIES),
  "dns-policy-030": row(NAMES, "and nothing of it leaves, whatever record is asked for: ${type}"),
  "dns-policy-031": row(DNS, ECH, "empty instead of REFUSED: nobody asks again"),
  "dns-policy-032": row(DNS, ECH, "empty instead of REFUSED: nobody asks again"),
  "dns-policy-033": row(DNS, OTHER_TYPES, EXACT_TXT),
  "dns-policy-034": row(DNS, NO_TUNNEL, NXDOMAIN),
  "dns-policy-037": row(DNS, "CNAME: the asked name decides, and every address at the end is judged"),
  "dns-policy-038": row("test/fuzz/dns.test.ts", "the messages that the others are made of are read whole"),
  "dns-policy-039": row(LIFE, "a failure is never kept"),
  "dns-policy-040": row(TLS, OWN_ADDRESS),

  "dns-nftset-001": row(JUDGE, "an exact name is listed"),
  "dns-nftset-003": row(JUDGE, "a suffix without a dot is another name"),
  "dns-nftset-004": row(DNS, "CNAME: the asked name decides, and every address at the end is judged"),
  "dns-nftset-006": row(
    LIFE,
    "dnsmasq's outage: an answer from the cache has a pin that outlives it",
    "cache and pins have one owner and one clock",
  ),
  "dns-nftset-008": row(JUDGE, "metadata for a name that says private", "metadata is never an answer"),
  "dns-nftset-009": row(JUDGE, "rebinding to a private address"),
  "dns-nftset-010": row(
    "test/kernel/set-elements.test.ts",
    "refreshing a pin starts its longer timeout anew",
    "an element in use is renewed by the netlink request itself",
  ),

  "sni-parse-001": hello(() => PLAIN, "example.com"),
  "sni-parse-003": hello(withoutExtensions, "no name"),
  "sni-parse-005": hello(() => Buffer.from("GET / HTTP/1.1"), "not-tls"),
  "sni-parse-006": hello(
    () => Uint8Array.from([0x16, 3, 1]),
    "more",
    "the rest may still come: the time decides (`late`)",
  ),
  "sni-parse-007": hello(
    () => Uint8Array.from([0x16, 3, 1, 0, 255]),
    "more",
    "the rest may still come: the time decides (`late`)",
  ),
  "sni-parse-009": hello(() => helloWith([["example.com."]]), "example.com"),
  "sni-parse-010": hello(
    () => PLAIN.subarray(0, 7),
    "more",
    "the rest may still come: the time decides (`late`)",
  ),
  "sni-parse-011": hello(() => changed(AT.sessionId, 0xff), "malformed"),
  "sni-parse-012": hello(() => changed(AT.cipherSuites, 0xff, 0xfe), "malformed"),
  "sni-parse-014": hello(() => changed(AT.extensionLength, 0xff, 0xff), "malformed"),
  "sni-parse-016": hello(
    () => changed(AT.extensionLength + 4, 1),
    "invalid-name",
    "no other kind of name exists (RFC 6066 3); either way nothing passes",
  ),
  "sni-parse-018": row(
    "src/core/tls/client-hello.test.ts",
    "with a post-quantum key share is larger than one packet",
  ),
  "sni-parse-019": hello(inTwoRecords, "example.com"),

  "sni-verify-003": row(TLS, ONE_NAME),
  "sni-verify-004": row(TLS, ONE_NAME),
  "sni-verify-005": row(
    TLS,
    "is refused by its name, with a reset and no alert in its stream",
    "on port 443 of a listed name only TLS can be read",
  ),
  "sni-verify-006": row(
    TLS,
    "no server name is refused",
    "without a name it could be any site of the address",
  ),
  "sni-verify-008": row(
    TLS,
    "late: a hello that trickles in is cut when its time is over, however often a byte comes",
  ),
  "sni-verify-009": row(TLS, "no server name is refused"),
  "sni-dns-binding-001": row(TLS, NEIGHBOUR),
  "sni-dns-binding-004": row(TLS, NEIGHBOUR),
  "sni-dns-binding-006": row(TLS, OWN_ADDRESS),

  "tls-sniff-001": sniff("16 03 01 00 2a", "true"),
  "tls-sniff-002": sniff("16 03 03 ff", "true"),
  "tls-sniff-005": sniff("16 03 ff", "true"),
  "tls-sniff-008": sniff("47 45 54 20 2f 20 48 54 54 50 2f 31 2e 31", "false"),

  "l7-rule-013": row(HTTP, "absolute-form with another Host", "two hosts are refused, not repaired"),

  "bypass-002": row(TLS, "an unlisted name at a listed address is refused"),
  "bypass-004": row(BYPASS, LITERAL),
  "bypass-005": row(BYPASS, "the metadata service"),
  "bypass-006": row(JUDGE, "the name of a metadata service is guarded"),
  "bypass-008": row(BYPASS, "DNS over HTTPS at ${address}"),
  "bypass-010": none(
    "an agent that may change nftables is root, and no scope contains root: `status` says NOT CONTAINED",
  ),
  "bypass-011": row(
    NAMES,
    "asks any server it likes and is answered by its own resolver",
    "the question never gets to 9.9.9.9: the gate answers it",
  ),
  "bypass-014": row(BYPASS, LITERAL),
  "bypass-018": row(BYPASS, "TLS over a port that no rule names at ${address}"),
  "bypass-019": row(BYPASS, "NTP to ${address}"),
  "bypass-020": row(
    "test/kernel/gate/killed.test.ts",
    "the policy is in force as before",
    "the rules outlive every process of ours on purpose",
  ),
  "bypass-021": row(
    "test/differential/nftables.test.ts",
    "random policies: every packet meets the fate that evaluate gives it",
    "without a rule of its scope a container is refused; scopes by docker network are among what is drawn",
  ),
  "bypass-027": row(HTTP, "a connection that the next policy forbids is cut"),
  "bypass-028": row("test/kernel/attack/unusable-file.test.ts", "as a policy is refused: ${name}"),
  "bypass-031": row(PROXY, "SOCKS", "there is no SOCKS: it is a request that cannot be read"),
  "bypass-034": row(JUDGE, "metadata for a name that says private"),
  "bypass-039": none("the proxy asks no other proxy, and reads no such field"),
  "bypass-043": row(BYPASS, "a service of this host at ${address}"),
  "bypass-045": row(DNS, NO_TUNNEL),
  "bypass-048": row("test/kernel/gate/observe.test.ts", "has in the log what enforce would have said"),
  "bypass-049": row(
    "src/core/containment/grade.test.ts",
    "of a user in group docker",
    "the scope is then NOT CONTAINED, and is not enforced without an accepted risk",
  ),
  "bypass-051": row(JUDGE, "a listed name as a prefix is another name"),
  "bypass-052": row(PROXY, "rebinding: a listed name with a private address is refused"),
  "bypass-053": row(TLS, "SNI mismatch: a listed name in a tunnel that was asked for another is refused"),
  "bypass-056": row(BYPASS, LITERAL),
  "bypass-060": row(
    DNS,
    "UDP amplification: however much a client says it takes, a reply stays in one unfragmented packet",
    "120 addresses of one answer are passed on and pinned; the limit is 128",
  ),
  "bypass-061": row(LIFE, "dnsmasq's outage: an answer from the cache has a pin that outlives it"),
  "bypass-063": row(TLS, "an unlisted name at a listed address is refused"),

  "openclaw-integration-001": row(
    "test/e2e/row.ts",
    "passes OpenClaw's check of a proxy as it comes, when example.com is listed",
  ),
  "openclaw-integration-002": row(
    "test/e2e/row.ts",
    "gets no answer in that check where it is asked to expect a denial",
  ),
  "openclaw-integration-004": none(
    "a setting of OpenClaw's own, about where it uses its proxy; `init` sets proxyUrl alone",
  ),
};
