/**
 * The shape of a policy file as one zod schema, for editors, forms and documentation. The parser in parse/
 * is stricter (it knows names, dates and places); a test holds the two together.
 */
import { z } from "zod";
import { SERVICE_NAMES } from "../net/service.ts";
import {
  ANY,
  type ASSERT_INBOUND_KEYS,
  type ASSERT_OUTBOUND_KEYS,
  CONTAINER_DEFAULTS,
  type DEFAULTS_KEYS,
  DENIALS,
  type DIRECTIONS,
  EXPECTATIONS,
  GUARD_IDS,
  INTERFACE_PATTERN,
  type INBOUND_KEYS,
  MODES,
  NAME_PATTERN,
  type OUTBOUND_KEYS,
  PORT_RANGE_PATTERN,
  PROTOCOLS,
  PUBLIC_WEB,
  RATE_PATTERN,
  REQUIRABLE_KEYS,
  type RISK_KEYS,
  type ROOT_KEYS,
  RULE_ID_PATTERN,
  RULES_MAX,
  type SCOPE_KINDS,
  type TEST_INBOUND_KEYS,
  type TEST_KEYS,
  type TEST_OUTBOUND_KEYS,
  WHY_CHARS_MIN,
} from "./parse/vocabulary.ts";

/** A shape that has exactly the keys of the vocabulary. */
type Shape<Keys extends readonly string[]> = Record<Keys[number], z.ZodType>;

function oneOrMore(item: z.ZodType): z.ZodType {
  return z.union([item, z.array(item).min(1)]);
}

const mode = z
  .enum(MODES)
  .meta({ description: "observe: watch and log only; enforce: refuse what no rule allows" });
const denial = z.enum(DENIALS).meta({ description: "refuse: answer at once (TCP reset); drop: stay silent" });
const port = z
  .union([z.int().min(1).max(65_535), z.string().regex(PORT_RANGE_PATTERN)])
  .meta({ description: "A port 1-65535 or a range such as 8000-8080" });
const date = z.string().meta({
  description: "A day such as 2027-01-31 (to its end, UTC), or an RFC 3339 time such as 2027-01-31T18:00:00Z",
});
const country = z
  .strictObject({
    country: oneOrMore(z.string().regex(/^[A-Za-z]{2}$/)).meta({ description: "One code or several" }),
  })
  .meta({ description: "Addresses of countries, by ISO 3166-1 alpha-2 code" });

const service = z.union([z.int().min(1).max(65_535), z.string()]).meta({
  description: "A service name, a port, a range, tcp/8082, udp/53 or any",
  examples: [...SERVICE_NAMES, ANY],
});
const source = z.union([z.string(), country]).meta({
  description: "any, an address, a prefix, the name of a set or zone, or {country: [..]}",
  examples: [ANY, "192.0.2.0/24"],
});
const destination = z.union([z.string(), country]).meta({
  description: `A name, *.name, an address, a prefix, a set, ${PUBLIC_WEB}, container:NAME or {country: [..]}`,
  examples: ["api.example.com", "*.example.com", "192.0.2.0/24"],
});
const scopeName = z.string().meta({ description: "agent, or a name from `scopes`" });
const protocol = z.enum(PROTOCOLS).meta({ description: "What carries the connection" });

const common = {
  id: z
    .string()
    .regex(RULE_ID_PATTERN)
    .optional()
    .meta({ description: "Stable name of the rule; derived when absent" }),
  why: z.string().min(WHY_CHARS_MIN).meta({ description: "Why the rule exists, at least 10 characters" }),
  owner: z.string().optional().meta({ description: "Who answers for the rule" }),
  expires: date.optional(),
  mode: mode.optional(),
  denial: denial.optional(),
};

const inboundRule = z
  .strictObject({
    allow: oneOrMore(service).optional().meta({ description: "Services of this host that may be reached" }),
    deny: oneOrMore(service)
      .optional()
      .meta({ description: "Services of this host that must not be reached" }),
    from: oneOrMore(source).optional().meta({ description: "Who may connect; required for allow" }),
    except: oneOrMore(source).optional().meta({ description: "Sources taken out of `from`" }),
    rate: z.string().regex(RATE_PATTERN).optional().meta({
      description: "New connections per source, such as 60/minute",
    }),
    ...common,
  } satisfies Shape<typeof INBOUND_KEYS>)
  .meta({ description: "Who may reach which service of this host. Has exactly one of allow and deny" });

const outboundRule = z
  .strictObject({
    allow: oneOrMore(destination).optional().meta({ description: "Destinations that may be reached" }),
    deny: oneOrMore(destination).optional().meta({ description: "Destinations that must not be reached" }),
    use: oneOrMore(z.string()).optional().meta({ description: "Presets: reviewed lists of destinations" }),
    port: oneOrMore(port).optional().meta({ description: "Default: 443 for allow, every port for deny" }),
    protocol: protocol.optional().meta({ description: "Default: tcp for allow, every protocol for deny" }),
    scope: oneOrMore(scopeName).optional(),
    private: z
      .boolean()
      .optional()
      .meta({ description: "true: names of this rule may have private addresses" }),
    ...common,
  } satisfies Shape<typeof OUTBOUND_KEYS>)
  .meta({ description: "What a scope may reach. Has exactly one of allow, deny and use" });

const scope = z
  .strictObject({
    user: z
      .union([z.string(), z.int().min(0)])
      .optional()
      .meta({ description: "A user name or uid" }),
    unit: z.string().optional().meta({ description: "A systemd unit" }),
    cgroup: z.string().optional().meta({ description: "A cgroup path" }),
    docker: z.string().optional().meta({ description: "A Docker network" }),
    netns: z.string().optional().meta({ description: "A network namespace" }),
  } satisfies Shape<typeof SCOPE_KINDS>)
  .meta({ description: "Whose connections are meant. Has exactly one key" });

const interfaces = oneOrMore(z.string().regex(INTERFACE_PATTERN)).meta({
  description: "One interface or several; a trailing * matches any ending",
});
const zone = z
  .union([interfaces, z.strictObject({ interfaces })])
  .meta({ description: "Interfaces of the zone; a trailing * matches any ending" });

const set = z
  .union([
    z.array(z.string()),
    z.strictObject({ file: z.string().meta({ description: "A file with one address or prefix a line" }) }),
  ])
  .meta({ description: "Addresses and prefixes, or a file with one a line" });

const defaults = z.strictObject({
  inbound: denial.optional(),
  outbound: denial.optional(),
  containers: z
    .enum(CONTAINER_DEFAULTS)
    .optional()
    .meta({ description: "What holds for containers no scope names" }),
  require: oneOrMore(z.enum(REQUIRABLE_KEYS))
    .optional()
    .meta({ description: "Keys that every rule must have" }),
} satisfies Shape<typeof DEFAULTS_KEYS>);

const risk = z
  .strictObject({
    guard: z
      .union([z.enum(GUARD_IDS), z.enum(GUARD_IDS.map((id) => `guard.${id}` as const))])
      .optional()
      .meta({ description: "A built-in guard to lift" }),
    scope: scopeName.optional().meta({ description: "A scope that does not contain its processes" }),
    name: z.string().optional().meta({ description: "A broad wildcard such as *.github.io" }),
    use: z.literal(PUBLIC_WEB).optional().meta({ description: "Every public name, for browsing" }),
    reason: z.string().min(WHY_CHARS_MIN).meta({ description: "Why, at least 10 characters" }),
    by: z.string().min(1).meta({ description: "Who accepts it" }),
    expires: date,
  } satisfies Shape<typeof RISK_KEYS>)
  .meta({
    description: "A safety net that is lifted knowingly. Has exactly one of guard, scope, name and use",
  });

const testPort = z
  .union([z.int().min(1).max(65_535), z.string()])
  .meta({ description: "The port it goes to" });
const testEntry = z.strictObject({
  inbound: z
    .strictObject({
      from: z.union([z.string(), z.number()]).meta({ description: "The address that connects" }),
      port: testPort,
      protocol: protocol.optional(),
      zone: z.string().optional().meta({ description: "Where it enters; default: world" }),
    } satisfies Shape<typeof TEST_INBOUND_KEYS>)
    .optional()
    .meta({ description: "A connection to this host" }),
  outbound: z
    .strictObject({
      to: z.union([z.string(), z.number()]).meta({ description: "host:port, or [v6]:port" }),
      port: testPort.optional(),
      protocol: protocol.optional(),
      scope: scopeName.optional(),
    } satisfies Shape<typeof TEST_OUTBOUND_KEYS>)
    .optional()
    .meta({ description: "A connection of a scope" }),
  expect: z.enum(EXPECTATIONS).meta({ description: "What the policy must say" }),
} satisfies Shape<typeof TEST_KEYS>);

const claim = z.union([
  z.strictObject({
    inbound: oneOrMore(source).meta({ description: "Who connects to this host" }),
    port: oneOrMore(port).optional(),
    protocol: protocol.optional(),
  } satisfies Shape<typeof ASSERT_INBOUND_KEYS>),
  z.strictObject({
    outbound: oneOrMore(destination).meta({ description: "What a scope reaches" }),
    port: oneOrMore(port).optional(),
    protocol: protocol.optional(),
    scope: scopeName.optional(),
  } satisfies Shape<typeof ASSERT_OUTBOUND_KEYS>),
]);

const named = z.string().regex(NAME_PATTERN);
const root = {
  version: z.literal(1).meta({ description: "Version of the policy language" }),
  mode: z
    .union([
      mode,
      z.strictObject({ inbound: mode.optional(), outbound: mode.optional() } satisfies Shape<
        typeof DIRECTIONS
      >),
    ])
    .optional()
    .meta({ description: "For both directions, or one for each. Absent: enforce" }),
  inbound: z.array(inboundRule).max(RULES_MAX).optional().meta({ description: "Who may reach this host" }),
  outbound: z.array(outboundRule).max(RULES_MAX).optional().meta({
    description: "What the agent may reach. Absent: nothing outbound is judged; empty: everything is denied",
  }),
  scopes: z.record(named, scope).optional().meta({
    description: "Whose connections outbound rules are about, by name; the one that rules mean is agent",
  }),
  sets: z.record(named, set).optional().meta({ description: "Addresses and prefixes by name" }),
  zones: z.record(named, zone).optional().meta({
    description:
      "Where packets enter, by name; interfaces that are in no zone and not known otherwise are world",
  }),
  defaults: defaults.optional().meta({ description: "What holds where a rule says nothing" }),
  accept_risk: z
    .union([risk, z.array(risk)])
    .optional()
    .meta({
      description: "Guards and other safety nets that are lifted knowingly: why, by whom and until when",
    }),
  alerts: z
    .array(z.record(z.string(), z.unknown()))
    .optional()
    .meta({ description: "Kept for a later version: read, and not acted on" }),
  tests: z.array(testEntry).optional().meta({ description: "Flows and what the policy must say to them" }),
  assert: z
    .array(
      z.strictObject({
        never: claim.optional().meta({ description: "What must never be accepted" }),
        always: claim.optional().meta({ description: "What must always be accepted" }),
        why: z.string().optional().meta({ description: "Why it must hold" }),
      }),
    )
    .optional()
    .meta({ description: "What must hold whoever edits the file" }),
} satisfies Shape<typeof ROOT_KEYS>;

/** The shape of a policy file that is not empty. It accepts whatever parsePolicy accepts, and some more. */
export const policySchema = z.strictObject(root).meta({ title: "Seawall policy" });

/** Returns the JSON Schema (draft 7) that editors check policy files with. */
export function policyJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(policySchema, { target: "draft-7", io: "input" }) };
}
