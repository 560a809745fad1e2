/** The text of an outbound rule as a person would write it. */

export interface RuleWish {
  readonly action: "allow" | "deny";
  /** Names, wildcards, addresses or prefixes. */
  readonly to: readonly string[];
  /** Null: what the policy language takes when none is named. */
  readonly ports: readonly number[] | null;
  readonly protocol: "tcp" | "udp";
  readonly scope: string;
  readonly why: string;
  readonly owner: string | null;
  /** RFC 3339, or null. */
  readonly expires: string | null;
}

const DEFAULT_PORTS = "443";

/** Returns the map of the rule, one key a line. Every text of others is quoted. */
export function outboundRuleText(wish: RuleWish): string {
  const { action, to, ports, protocol, scope, why, owner, expires } = wish;
  const lines = [`${action}: ${listText(to)}`];
  const isDefault =
    protocol === "tcp" && (ports === null || (action === "allow" && ports.join() === DEFAULT_PORTS));
  if (!isDefault) {
    if (ports !== null) lines.push(`port: ${ports.length === 1 ? ports[0] : `[${ports.join(", ")}]`}`);
    if (protocol !== "tcp") lines.push(`protocol: ${protocol}`);
  }
  if (scope !== "agent") lines.push(`scope: ${plain(scope)}`);
  lines.push(`why: ${plain(why)}`);
  if (owner !== null) lines.push(`owner: ${plain(owner)}`);
  if (expires !== null) lines.push(`expires: ${plain(expires)}`);
  return lines.join("\n");
}

function listText(to: readonly string[]): string {
  const [only] = to;
  return to.length === 1 && only !== undefined ? plain(only) : `[${to.map(plain).join(", ")}]`;
}

/** SECURITY: JSON is YAML that means the same, so nothing in a text can become a key, a list or a comment. */
function plain(text: string): string {
  return /^[A-Za-z][A-Za-z0-9 ._/-]*[A-Za-z0-9]$/.test(text) ? text : JSON.stringify(text);
}
