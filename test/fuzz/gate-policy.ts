/** Random policies by name, as the text a person would write, and what to ask of them. */
import fc from "fast-check";
import type { Hostname } from "../../src/core/net/hostname.ts";
import { type Ip, parseIp } from "../../src/core/net/ip.ts";

export const PUBLIC = ["93.184.216.34", "93.184.216.35", "140.82.112.5", "2606:4700::6810:1"] as const;
/** Not of the public internet, by rows of RFC 6890 and its kin. */
export const PRIVATE = ["10.0.0.5", "192.168.1.9", "100.64.0.1", "127.0.0.1", "fd12:3456::9", "::1"] as const;
/** Guarded in every mode: the metadata services, link-local. */
export const METADATA = [
  "169.254.169.254",
  "169.254.170.2",
  "100.100.100.200",
  "168.63.129.16",
  "fd00:ec2::254",
  "64:ff9b::a9fe:a9fe",
  "2002:a9fe:a9fe::1",
] as const;
export const LINK_LOCAL = ["169.254.1.1", "fe80::1"] as const;
/** A public address that is this host's own. */
export const OWN = "203.1.113.7";
const ADDRESSES = [...PUBLIC, ...PRIVATE, ...METADATA, ...LINK_LOCAL, OWN];

export const HOSTS = [
  "example.com",
  "api.example.com",
  "deep.api.example.com",
  "a.deep.api.example.com",
  "notexample.com",
  "example.com.evil.org",
  "evil.org",
  "other.net",
  "x.other.net",
  "metadata.google.internal",
] as const;
const PATTERNS = [...HOSTS, "*.example.com", "*.api.example.com", "**.deep.api.example.com", "*.other.net"];
const PREFIXES = ["93.184.216.34/31", "140.82.112.0/20", "10.0.0.0/8", "2606:4700::/32", "169.254.0.0/16"];
const PORTS = [
  "443",
  "80",
  "[80, 443]",
  "22",
  "1000-1010",
  "1005",
  "1-65535",
  "[8443, 440-450]",
  "2370-2380",
  "53",
];
const PAST = "2020-01-31";
const FUTURE = "2098-01-31";

export const host = fc.constantFrom(...HOSTS).map((name) => name as string as Hostname);
export const address = fc.constantFrom(...ADDRESSES).map(ipOf);
export const port = fc.oneof(
  fc.constantFrom(22, 53, 79, 80, 81, 442, 443, 444, 999, 1000, 1005, 1010, 1011, 2375, 2376, 8443, 18_900),
  fc.integer({ min: 1, max: 65_535 }),
);

const some = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> =>
  fc.option(value, { freq: 3, nil: null });

const rule = fc
  .record({
    action: fc.constantFrom("allow", "allow", "deny"),
    to: fc.uniqueArray(
      fc.oneof(
        { weight: 5, arbitrary: fc.constantFrom(...PATTERNS) },
        { weight: 1, arbitrary: fc.constantFrom(...PREFIXES) },
        { weight: 1, arbitrary: fc.constant("public-web") },
      ),
      { minLength: 1, maxLength: 3 },
    ),
    port: some(fc.constantFrom(...PORTS)),
    protocol: some(fc.constantFrom("tcp", "udp")),
    private: fc.boolean(),
    expires: some(fc.constantFrom(PAST, FUTURE)),
    mode: some(fc.constantFrom("observe", "enforce")),
    scope: some(fc.constantFrom("helper", "[agent, helper]")),
  })
  .map((one) => {
    const terms = one.to.filter((term) => one.action === "allow" || term !== "public-web");
    const onlyWeb = terms.length === 0 ? ["evil.org"] : terms;
    const fields = [
      `${one.action}: [${onlyWeb.map((term) => `"${term}"`).join(", ")}]`,
      ...(one.port === null ? [] : [`port: ${one.port}`]),
      // An allow over UDP has to say which port.
      ...(one.protocol === null || one.port === null ? [] : [`protocol: ${one.protocol}`]),
      ...(one.action === "allow" && one.private ? ["private: true"] : []),
      ...(one.expires === null ? [] : [`expires: ${one.expires}`]),
      ...(one.mode === null ? [] : [`mode: ${one.mode}`]),
      ...(one.scope === null ? [] : [`scope: ${one.scope}`]),
      "why: drawn by lot for a test",
    ];
    return `  - {${fields.join(", ")}}`;
  });

const risk = fc
  .record({
    guard: fc.constantFrom("metadata", "link-local", "docker-api-out"),
    expires: fc.constantFrom(PAST, FUTURE),
  })
  .map(
    ({ guard, expires }) => `  - {guard: ${guard}, reason: drawn by lot, by: the test, expires: ${expires}}`,
  );

/** The text of a policy with names, addresses, ports, modes, denies, expiries and lifted guards. */
export const policyText = fc
  .record({
    mode: fc.constantFrom("enforce", "enforce", "observe"),
    risks: fc.array(risk, { maxLength: 2 }),
    rules: fc.array(rule, { minLength: 1, maxLength: 8 }),
  })
  .map(({ mode, risks, rules }) =>
    [
      "version: 1",
      `mode: ${mode}`,
      "scopes: {agent: {user: 4242}, helper: {user: 4343}}",
      "accept_risk:",
      `  - {use: public-web, reason: drawn by lot, by: the test, expires: ${FUTURE}}`,
      ...risks,
      "outbound:",
      ...rules,
      "",
    ].join("\n"),
  );

/** Returns an address of these lists. */
export function ipOf(text: string): Ip {
  const ip = parseIp(text);
  if (ip === undefined) throw new TypeError(`not an address: ${text}`);
  return ip;
}
