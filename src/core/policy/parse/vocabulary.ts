/** Every key and fixed word of the policy language. The parser, the JSON Schema and the docs read it here. */

/** The version of the policy language. A next one comes with its step in policy/migrate. */
export const POLICY_VERSION = 1;

export const POLICY_BYTES_MAX = 1_048_576;
export const RULES_MAX = 2_000;

export const MAIN_FILE = "policy.yaml";
/** LIMIT: files of policy.d. Each may have POLICY_BYTES_MAX; the rules of all files count together. */
export const DROP_INS_MAX = 64;

export const ROOT_KEYS = [
  "version",
  "mode",
  "inbound",
  "outbound",
  "scopes",
  "sets",
  "zones",
  "defaults",
  "accept_risk",
  "alerts",
  "tests",
  "assert",
] as const;

/** What only the main file may have: each of them can relax what the file says elsewhere. */
export const MAIN_ONLY_KEYS = ["mode", "defaults", "accept_risk", "alerts"] as const;
/** Lists that drop-ins add to. */
export const LIST_KEYS = ["inbound", "outbound", "tests", "assert"] as const;
/** Maps of names that drop-ins add to; a name stands in one file only. */
export const NAME_KEYS = ["scopes", "sets", "zones"] as const;

/** What keys are called that are often written otherwise: said so, and what `policy migrate` corrects. */
export const KEYS_RENAMED = {
  root: { scope: "scopes", set: "sets", zone: "zones" },
  outbound: { ports: "port" },
} as const;

/** What to write where a list is expected. */
export const LIST_HELP = {
  inbound: "write `inbound: []` to deny everything",
  outbound: "write `outbound: []` to deny everything, or remove the key to judge nothing outbound",
  tests: null,
  assert: null,
} as const;

/** Known words of a later version: said so, instead of "unknown". */
export const RESERVED_KEYS = ["http", "inject", "limit", "inspect"] as const;

export const INBOUND_KEYS = [
  "allow",
  "deny",
  "from",
  "except",
  "rate",
  "id",
  "why",
  "owner",
  "expires",
  "mode",
  "denial",
] as const;

export const OUTBOUND_KEYS = [
  "allow",
  "deny",
  "use",
  "port",
  "protocol",
  "scope",
  "private",
  "id",
  "why",
  "owner",
  "expires",
  "mode",
  "denial",
] as const;

/** Where the kernel judges the gates; no scope is called so. */
export const GATE_PLACE = "seawall-gate";

export const DIRECTIONS = ["inbound", "outbound"] as const;
export const MODES = ["observe", "enforce"] as const;
export const DENIALS = ["refuse", "drop"] as const;
export const PROTOCOLS = ["tcp", "udp"] as const;
export const RATE_UNITS = ["second", "minute", "hour", "day"] as const;
export const SCOPE_KINDS = ["user", "unit", "cgroup", "docker", "netns"] as const;
export const CONTAINER_DEFAULTS = ["deny", "allow"] as const;
export const DEFAULTS_KEYS = ["inbound", "outbound", "containers", "require"] as const;
export const REQUIRABLE_KEYS = ["owner"] as const;
export const RISK_KINDS = ["guard", "scope", "name", "use"] as const;
export const RISK_KEYS = [...RISK_KINDS, "reason", "by", "expires"] as const;
export const GUARD_IDS = [
  "gateway",
  "cdp",
  "docker-api",
  "seawall",
  "metadata",
  "link-local",
  "docker-api-out",
  "control",
] as const;
export const EXPECTATIONS = ["accept", "refuse", "drop"] as const;
export const TEST_KEYS = ["inbound", "outbound", "expect"] as const;
export const TEST_INBOUND_KEYS = ["from", "port", "protocol", "zone"] as const;
export const TEST_OUTBOUND_KEYS = ["to", "port", "protocol", "scope"] as const;
export const ASSERT_KINDS = ["never", "always"] as const;
export const ASSERT_INBOUND_KEYS = ["inbound", "port", "protocol"] as const;
export const ASSERT_OUTBOUND_KEYS = ["outbound", "port", "protocol", "scope"] as const;

/** The scope that rules mean when they name none; it needs no entry in `scopes`. */
export const AGENT_SCOPE = "agent";
/** Every interface that is not known otherwise. */
export const WORLD_ZONE = "world";

export const ANY = "any";
export const PUBLIC_WEB = "public-web";
export const CONTAINER_PREFIX = "container:";

/** Names of sets. */
export const NAME_PATTERN = /^[A-Za-z][A-Za-z0-9_-]{0,31}$/;
/** Names of zones and scopes: they also stand in the kernel and in each line of its log. */
export const PLACE_PATTERN = /^[a-z][a-z0-9_-]{0,23}$/;
export const RULE_ID_PATTERN = /^[a-z0-9][a-z0-9._-]{0,47}$/;
/** Prefixes of the ids of built-in rules. */
export const RESERVED_ID_PREFIXES = ["host.", "guard."] as const;
/** A Linux interface name (IFNAMSIZ 16 with the NUL), or its beginning followed by one `*`. */
export const INTERFACE_PATTERN = /^(?:[A-Za-z0-9._-]{1,15}|[A-Za-z0-9._-]{1,14}\*)$/;
/** What dockerd accepts as the name of a container or network. */
export const DOCKER_NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;
export const COUNTRY_PATTERN = /^[A-Za-z]{2}$/;
export const PORT_RANGE_PATTERN = /^[1-9][0-9]{0,4}(?:-[1-9][0-9]{0,4})?$/;
export const RATE_PATTERN = /^([1-9][0-9]{0,6})\/(second|minute|hour|day)$/;
export const RATE_COUNT_MAX = 1_000_000;

export const WHY_CHARS_MIN = 10;
export const WHY_CHARS_MAX = 500;
export const OWNER_CHARS_MAX = 200;
