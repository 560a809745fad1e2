/**
 * What cures a refusal: one entry a reason, and a new reason does not compile without one. Each line of policy here is
 * put into a policy by a test that then tries again.
 */
import { unreachable } from "../base/assert.ts";
import type { ReasonCode } from "./decision.ts";
import type { Direction } from "./document.ts";

/** A refusal as the log or a gate knows it. */
export interface Refused {
  readonly direction: Direction;
  readonly reason: ReasonCode;
  /** The rule or guard that decided. */
  readonly rule: string | null;
  /** The scope, or the zone of what came in. */
  readonly place: string;
  readonly host: string | null;
  /** Where it went; null for a question. */
  readonly address: string | null;
  /** Who came, inbound. */
  readonly source: string | null;
  /** Null without ports, and for a question: that names none. */
  readonly port: number | null;
  readonly protocol: string;
}

export type Cure =
  /** What `seawall approve ID` writes. */
  | { readonly kind: "approve"; readonly say: string }
  /** A rule to be written into `inbound:` or `outbound:`, and what it opens. */
  | { readonly kind: "rule"; readonly section: Direction; readonly rule: string; readonly say: string }
  /** A change of what stands in the policy already. */
  | { readonly kind: "change"; readonly say: string }
  /** An entry of `accept_risk:`, and what it opens. */
  | { readonly kind: "risk"; readonly risk: string; readonly say: string }
  /** Something outside the policy. */
  | { readonly kind: "elsewhere"; readonly say: string }
  | { readonly kind: "nothing"; readonly say: string };

type WithoutRule =
  | "unresolved"
  | "unreachable"
  | "limit"
  | "clock"
  | "allowed"
  | "host-life"
  | "not-judged"
  | `invalid-${"host" | "address" | "port" | "protocol" | "flow" | "zone" | "scope"}`;

/** Returns what cures it. */
export function cureOf(refused: Refused): Cure {
  const { reason, rule } = refused;
  switch (reason) {
    case "default":
      return cureOfDefault(refused);
    case "denied":
      return change(`change or take out rule ${rule ?? "that denies it"}: a deny wins over every allow`);
    case "guard":
      return cureOfGuard(rule);
    case "record-type":
      return named(refused, (name) => ({
        rule: `allow: ${yaml(name)}`,
        say: `list the name exactly, then SRV, TXT, MX and their like are answered (ANY and NULL never are); such answers can carry data in`,
      }));
    case "private-address":
      return named(refused, (name) => ({
        rule: [`allow: ${yaml(name)}`, ...portLine(refused), "private: true"].join("\n"),
        say: "`private: true` lets this name lead to addresses of your own networks and of this host; metadata and link-local addresses stay refused",
      }));
    case "ech":
      return named(refused, (name) => ({
        rule: [`allow: ${yaml(name)}`, ...portLine(refused)].join("\n"),
        say: `switch Encrypted Client Hello off in the program; or allow the name in front, which opens every site that hides behind it`,
      }));
    case "not-pinned":
      return byAddress(refused, "let the program look the name up again by this host's resolver");
    case "no-name":
      return byAddress(refused, "let the program name its server (TLS server name, HTTP Host)");
    case "is-ssh":
      return byAddress(
        refused,
        "use SSH's own port: on 443 and 80 a name is read from TLS and HTTP, and SSH has none",
      );
    case "is-http":
      return byAddress(refused, "ask for https://: by name only TLS passes on this port");
    case "is-tls":
      return byAddress(refused, "use port 443: by name only HTTP passes on this port");
    case "bad-request":
      return byAddress(
        refused,
        "it was neither TLS nor HTTP that names its host with certainty, and by name nothing else passes",
      );
    case "name-mismatch":
      return elsewhere(
        "the program names two hosts in one connection; no rule allows that: let it ask for the one it means",
      );
    default:
      return cureWithoutRule(refused, reason);
  }
}

/** What no line of a policy cures, and where the cure is. */
function cureWithoutRule({ host }: Refused, reason: WithoutRule): Cure {
  switch (reason) {
    case "unresolved":
      return elsewhere(
        `it is allowed, and no rule is missing: no resolver knows ${host ?? "the name"}, or none answered`,
      );
    case "unreachable":
      return elsewhere("it is allowed, and no rule is missing: the destination did not take the connection");
    case "limit":
      return elsewhere("it passes again when the scope has fewer open at once; no rule raises this limit");
    case "clock":
      return elsewhere(
        "it passes once the clock of this machine is known to be right (timedatectl); `sudo seawall apply` takes the clock as it is",
      );
    case "invalid-host":
    case "invalid-address":
    case "invalid-port":
    case "invalid-protocol":
    case "invalid-flow":
      return elsewhere(
        "let the program ask for a plain host name or address; what cannot be read is allowed by no rule",
      );
    case "invalid-zone":
    case "invalid-scope":
      return change(
        "it is about a zone or scope that the policy does not have: name it under `zones:` or `scopes:`",
      );
    case "allowed":
    case "host-life":
    case "not-judged":
      return { kind: "nothing", say: "nothing refused it" };
    default:
      return unreachable(reason);
  }
}

/** Returns the cure as one line for a person: what to do, and the line to write. */
export function cureText(cure: Cure): string {
  switch (cure.kind) {
    case "rule":
      return `${cure.say}: - {${cure.rule.replaceAll("\n", ", ")}, why: "..."} under \`${cure.section}:\``;
    case "risk":
      return `${cure.say}: accept_risk: [{${cure.risk}, reason: "...", by: NAME, expires: DATE}]`;
    case "approve":
    case "change":
    case "elsewhere":
    case "nothing":
      return cure.say;
    default:
      return unreachable(cure);
  }
}

function cureOfDefault(refused: Refused): Cure {
  const { direction, host, address, source, port, protocol, place } = refused;
  if (direction === "inbound") {
    if (source === null || (port === null && protocol !== "icmp"))
      return nothing("it has no port that a rule could name");
    const service = protocol === "tcp" ? String(port) : `${protocol}/${port}`;
    return {
      kind: "rule",
      section: "inbound",
      rule: `allow: ${protocol === "icmp" ? "any" : service}\nfrom: ${yaml(place === "world" ? source : place)}`,
      say: "an inbound allow opens it for this address",
    };
  }
  if (host === null && address === null)
    return nothing("what was asked for could not be read, so no rule can name it");
  if (protocol !== "tcp" && protocol !== "udp") return nothing(`no rule names ${protocol}`);
  return { kind: "approve", say: "an allow opens it; `seawall approve` writes it" };
}

/** SECURITY: said with what it costs; the guards' own reasons are in `seawall explain`. */
function cureOfGuard(rule: string | null): Cure {
  const guard = rule?.replace(/^guard\./, "");
  if (guard === undefined) return nothing("a built-in guard refuses it whatever the rules say");
  return {
    kind: "risk",
    risk: `guard: ${guard}`,
    say: `a guard holds whatever the rules say; only an accepted risk lifts it, for everybody and until a day, and a rule must allow it beside`,
  };
}

function named(
  refused: Refused,
  write: (name: string) => { readonly rule: string; readonly say: string },
): Cure {
  const { host, place } = refused;
  if (host === null) return nothing("what was asked for could not be read, so no rule can name it");
  const { rule, say } = write(host);
  return { kind: "rule", section: "outbound", rule: withScope(rule, place), say };
}

/** By name it cannot pass; by address nothing is read, so anything behind that address is opened. */
function byAddress(refused: Refused, first: string): Cure {
  const { address, port, place } = refused;
  if (address === null || port === null) return elsewhere(first);
  return {
    kind: "rule",
    section: "outbound",
    rule: withScope([`allow: ${yaml(address)}`, `port: ${port}`].join("\n"), place),
    say: `${first}; or allow the address, without the proxy, which opens whatever answers there`,
  };
}

function withScope(rule: string, place: string): string {
  return place === "agent" ? rule : `${rule}\nscope: ${yaml(place)}`;
}

/** A question names no port; without the line it is 443. */
function portLine({ port, protocol }: Refused): string[] {
  if (port === null || (port === 443 && protocol === "tcp")) return [];
  return [`port: ${port}`, ...(protocol === "udp" ? ["protocol: udp"] : [])];
}

/** SECURITY: JSON is YAML that means the same, whatever a name holds. */
function yaml(text: string): string {
  return JSON.stringify(text);
}

function change(say: string): Cure {
  return { kind: "change", say };
}

function elsewhere(say: string): Cure {
  return { kind: "elsewhere", say };
}

function nothing(say: string): Cure {
  return { kind: "nothing", say };
}
