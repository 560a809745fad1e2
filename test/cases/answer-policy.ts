/** What Seawall says to the peers' cases about policies, addresses, hosts and requests. */
import { type Answers, none } from "./answer.ts";

const PORT = "a policy says the port in `port:`, and the error says so";
const SPECIAL = "the prefix is in the registry of special-purpose addresses (RFC 6890)";
const LISTED = [
  "allow: [api.anthropic.com, '*.example.com']",
  "allow: github.com, port: 22",
  "allow: ollama.local, port: 11434",
];
const SANDY = [
  "allow: [api.anthropic.com, '*.githubusercontent.com', pypi.org]",
  "allow: github.com, port: 22",
];
const SHARED = "name: '*.githubusercontent.com'";
const ONE = ["allow: api.example.com"];
const LEADING_DOT = "a leading dot is no pattern: `*.x` never holds x, so both are written";

const reject = (text: string, differs?: string) =>
  ({ by: "destination", text, says: "reject", ...(differs === undefined ? {} : { differs }) }) as const;
const special = (...texts: readonly string[]) => ({ by: "address", texts, says: "special" }) as const;
const open = (...texts: readonly string[]) => ({ by: "address", texts, says: "public" }) as const;
const flow = (rules: readonly string[] | null, text: string, says: string, differs?: string) =>
  ({
    by: "flow",
    rules,
    flow: `agent => ${text}`,
    says,
    ...(differs === undefined ? {} : { differs }),
  }) as const;
const connect = (text: string, says = "refused") => ({ by: "connect", text, says }) as const;

export const POLICY_ANSWERS: Answers = {
  "domain-match-128": reject(".pythonhosted.org", LEADING_DOT),
  "domain-match-129": reject(".pythonhosted.org"),
  "domain-match-131": { ...flow(SANDY, "api.anthropic.com.evil.com:443", "refuse default"), risk: SHARED },
  "domain-match-133": { ...flow(SANDY, "a.b.githubusercontent.com:443", "accept allowed"), risk: SHARED },
  "domain-match-134": { ...flow(SANDY, "githubusercontent.com:443", "refuse default"), risk: SHARED },
  "domain-match-135": { ...flow(SANDY, "notgithubusercontent.com:443", "refuse default"), risk: SHARED },
  "domain-match-136": reject(
    " PyPI.org ",
    "a space is no part of a name: the mistake is shown, not repaired",
  ),

  "domain-match-port-005": flow(
    ["allow: '*.example.com', port: 8443"],
    "a.example.com:8443",
    "accept allowed",
  ),
  "domain-match-port-006": flow(
    ["allow: '*.example.com', port: 8443"],
    "a.example.com:443",
    "refuse default",
  ),
  "domain-match-port-007": flow(["allow: '::1', port: 443"], "::1:443", "accept allowed"),
  "domain-match-port-010": flow(
    ["allow: 'fd00:ec2::254', port: 80"],
    "fd00:ec2::254:80",
    "refuse guard",
    "metadata is guarded, whatever a rule says",
  ),
  "domain-match-port-015": flow(LISTED, "github.com:443", "refuse default"),
  "domain-match-port-018": flow(LISTED, "api.anthropic.com:22", "refuse default"),
  "domain-match-port-019": flow(LISTED, "sub.example.com:443", "accept allowed"),
  "domain-match-port-020": flow(LISTED, "sub.example.com:8443", "refuse default"),
  "domain-match-port-023": reject("proxy.golang.org:443", PORT),

  "connect-authority-002": connect("example.net"),
  "connect-authority-005": connect("[[example.net]]:1337"),
  "connect-authority-006": connect(""),
  "connect-authority-007": connect(":"),
  "connect-authority-008": connect("::"),
  "connect-authority-009": connect("2001:DB8::1337"),

  "pattern-port-split-001": reject("example.com:443", PORT),
  "pattern-port-split-002": reject("*.example.com:8080", PORT),
  "pattern-port-split-003": reject("example.com:0"),
  "pattern-port-split-004": reject("example.com:65536"),
  "pattern-port-split-005": reject("example.com:0443"),
  "pattern-port-split-007": reject("example.com:443.allowed.com"),
  "pattern-port-split-012": reject("example.com:80:443"),
  "pattern-port-split-013": reject("[::1"),
  "pattern-port-split-014": reject("[::1]junk"),

  "http-host-001": { by: "head", text: "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", says: "example.com" },
  "http-host-003": {
    by: "head",
    text: "GET / HTTP/1.1\r\nhOsT:   API.Example.Com  \r\n\r\n",
    says: "api.example.com",
  },
  "http-host-005": { by: "head", text: "GET / HTTP/1.1\r\nHost: exam", says: "more" },

  "ip-class-005": special("100.64.0.1"),
  "ip-class-007": open("100.63.255.254"),
  "ip-class-010": special("127.255.255.255"),
  "ip-class-012": special("169.254.169.254"),
  "ip-class-013": special("255.255.255.255"),
  "ip-class-015": special("64:ff9b::ac1c:5"),
  "ip-class-024": special("198.18.0.1"),
  "ip-class-025": special("198.51.100.1"),
  "ip-class-027": special("192.0.0.1"),
  "ip-class-028": special("fd00::1"),
  "ip-class-030": open("::ffff:8.8.8.8"),
  "ip-class-031": special("::ffff:169.254.169.254"),
  "ip-class-032": special("0.0.0.0"),
  "ip-class-034": special("febf::1"),
  "ip-class-035": special("10.0.0.1"),
  "ip-class-036": special("100::", "100::ffff:ffff:ffff:ffff"),
  "ip-class-037": special("2001:20::", "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff"),
  "ip-class-039": special("240.0.0.0", "255.255.255.255"),
  "ip-class-040": special("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
  "ip-class-041": special("2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff"),

  "cidr-overlaps-always-blocked-001": { by: "overlap", text: "0.0.0.0/0", says: "true" },
  "cidr-overlaps-always-blocked-002": { by: "overlap", text: "::/0", says: "true" },
  "cidr-overlaps-always-blocked-005": { by: "overlap", text: "::ffff:168.0.0.0/103", says: "true" },
  "cidr-overlaps-always-blocked-006": { by: "overlap", text: "::ffff:64.0.0.0/98", says: "true" },
  "cidr-overlaps-always-blocked-007": { by: "overlap", text: "::ffff:8.8.8.8/128", says: "false" },
  "cidr-overlaps-always-blocked-009": { by: "overlap", text: "8.8.8.0/24", says: "false" },

  "metadata-hostname-003": flow(
    ["allow: metadata.google.internal, port: 80"],
    "metadata.google.internal.:80",
    "refuse guard",
  ),

  "forwardable-raw-ip-001": special("127.0.0.1"),
  "forwardable-raw-ip-003": special("169.254.169.254"),
  "forwardable-raw-ip-004": special("fe80::1"),
  "forwardable-raw-ip-006": special("0.1.2.3"),
  "forwardable-raw-ip-008": special("::7f00:1"),
  "forwardable-raw-ip-011": special("239.255.255.250"),
  "forwardable-raw-ip-013": special("fec0::1"),
  "forwardable-raw-ip-016": { ...special("2001:db8::1"), differs: SPECIAL },

  "ssrf-url-001": {
    by: "head",
    text: "GET http://[::1%25eth0]/ HTTP/1.1\r\nHost: [::1%25eth0]\r\n\r\n",
    says: "invalid-host",
  },
  "ssrf-url-002": {
    by: "head",
    text: "GET http://[fe80::1%25eth0]/ HTTP/1.1\r\nHost: [fe80::1%25eth0]\r\n\r\n",
    says: "invalid-host",
  },
  "ssrf-url-003": {
    by: "head",
    text: "GET http://[fc00::1%25eth0]/ HTTP/1.1\r\nHost: [fc00::1%25eth0]\r\n\r\n",
    says: "invalid-host",
  },
  "ssrf-url-004": flow(ONE, "224.0.0.1:80", "refuse default"),
  "ssrf-url-009": {
    by: "head",
    text: "GET http://0xa9fea9fe/latest/meta-data/ HTTP/1.1\r\nHost: 0xa9fea9fe\r\n\r\n",
    says: "invalid-host",
  },
  "ssrf-url-011": {
    by: "head",
    text: "GET http://0x08080808/ HTTP/1.1\r\nHost: 0x08080808\r\n\r\n",
    says: "invalid-host",
    differs: "an address in another spelling is no host, whatever it leads to",
  },

  "decision-003": flow(
    ["allow: api.example.com", "deny: '*.example.com'"],
    "api.example.com:443",
    "refuse denied",
  ),
  "decision-004": flow([], "example.com:443", "refuse default"),
  "decision-005": flow(
    ["allow: '*.example.com'", "deny: internal.example.com"],
    "api.example.com:443",
    "accept allowed",
  ),
  "decision-006": flow(["allow: example1.com"], "www.example1.com:443", "refuse default"),
  "decision-007": {
    ...flow(["allow: example3.com"], "example1.com:443", "refuse default watched"),
    mode: "observe",
  },
  "decision-008": flow(null, "anything.example.com:443", "accept not-judged"),
  "decision-009": {
    ...flow(
      ["allow: example.com", "deny: badexample2.com, mode: enforce"],
      "badexample2.com.:443",
      "refuse denied",
    ),
    mode: "observe",
  },
  "decision-011": flow(
    ["allow: badexample1.com", "deny: badexample1.com"],
    "badexample1.com:443",
    "refuse denied",
    "a deny beats an allow, always",
  ),
  "decision-013": {
    by: "flow",
    rules: ONE,
    flow: "unknown => example.com:443",
    says: "refuse invalid-scope",
  },
  "decision-017": { by: "policy", text: "version: 1\nmode: yolo\n", says: "reject" },

  "bypass-022": flow(
    ["allow: 127.0.0.1, port: 80"],
    "127.0.0.1:80",
    "accept allowed",
    "a service of this host needs a plain rule by address, and has it here; guarded ports stay closed",
  ),
  "bypass-023": flow(["allow: 169.254.169.254, port: 80"], "169.254.169.254:80", "refuse guard"),
  "bypass-029": {
    by: "head",
    text: "GET https://api.example.com/ HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
    says: "unsupported",
  },
  "bypass-032": connect("api.example.com.:443", "api.example.com:443"),
  "bypass-041": flow([], "example.com:443", "refuse default"),
  "bypass-050": flow(
    ["allow: '*.example.com'", "deny: bad.example.com"],
    "BAD.Example.com.:443",
    "refuse denied",
  ),
  "bypass-059": flow(
    ["use: openclaw"],
    "clawhub.com:443",
    "refuse default",
    "the preset lists clawhub.ai, where the service is; preset.ts says source and date",
  ),

  "l7-rule-001": none("no rules about method and path in this version"),
  "l7-rule-005": none("no rules about method and path in this version"),
  "l7-rule-006": none("no rules about method and path in this version"),
  "l7-rule-007": none("no rules about method and path in this version"),
  "l7-rule-011": none("no rules about method and path in this version"),
  "l7-rule-015": none("no rules about method and path in this version, and no callbacks"),
};
