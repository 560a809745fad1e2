/** UFW on this host, turned on or made to deny, with the doors opened first by which people and visitors come in. */
import type { Facts } from "../fact/facts.ts";
import type { FirewallFacts, UfwFacts } from "../fact/firewall.ts";
import { isLoopbackAddress, listenerText, type Listener } from "../fact/listener.ts";
import { doorOf } from "../read/ufw-rule.ts";
import { valueOr } from "../reading.ts";
import { type Step, run, say } from "./fix.ts";
import { portsText, secondLogin, wayInOf } from "./way-in.ts";

/** Ports that a server has for everybody. */
const WEB: readonly number[] = [80, 443];

/** Returns the commands that let SSH in by UFW's rules, for both families; none where the rules already do. */
export function letSshIn(facts: Facts, ufw: UfwFacts, ports = wayInOf(facts).ports): Step[] {
  const peers = wayInOf(facts).sessions.map(({ peer }) => peer);
  return ports.flatMap((port) => openDoor(ufw, port, peers));
}

/** The web server's ports, so that turning the firewall on does not take the site off the net. */
function letWebIn(facts: Facts, ufw: UfwFacts): Step[] {
  const served = outward(facts).map(({ port }) => port);
  return WEB.filter((port) => served.includes(port)).flatMap((port) => openDoor(ufw, port, []));
}

function openDoor({ rules, ipv6 }: UfwFacts, port: number, peers: readonly string[]): Step[] {
  const families = ipv6 ? ([4, 6] as const) : ([4] as const);
  const doors = families.map((family) => doorOf(rules, family, port, peers));
  if (doors.every(({ kind }) => kind === "open")) return [];
  const isNamed = (verb: string): boolean =>
    rules.some((rule) => new RegExp(`^${verb} tcp ${port} (0\\.0\\.0\\.0/0|::/0) any \\1 in$`).test(rule));
  const isRefused = doors.some((door) => door.kind === "shut" && door.by !== null);
  if (!isRefused) return [run(`ufw ${isNamed("limit") ? "limit" : "allow"} ${port}/tcp`)];
  // ufw leaves a rule that is there already where it stands, so what is to come first is taken out before.
  const verbs = ["deny", "reject", "limit", "allow"].filter(isNamed);
  return [
    say(`A rule of UFW refuses port ${port}: one that lets it in has to stand before it.`),
    ...verbs.map((verb) => run(`ufw delete ${verb} ${port}/tcp`)),
    run(`ufw prepend allow ${port}/tcp`),
  ];
}

/** Returns how UFW is turned on, or on again, without cutting SSH. */
export function turnUfwOn(facts: Facts, firewall: FirewallFacts, ufw: UfwFacts): Step[] {
  const way = wayInOf(facts);
  if (!way.seen) return [portsUnknown()];
  if (hasLeftovers(firewall)) return [takesRestart(way.ports)];
  // With IPV6=no UFW drops all of IPv6, and with it whoever came in by it.
  const turnsIpv6 = firewall.hasIpv6 && !ufw.ipv6;
  const then = { ...ufw, ipv6: ufw.ipv6 || turnsIpv6 };
  return [
    say(opening(way.ports)),
    ...(turnsIpv6 ? [ipv6On()] : []),
    ...letSshIn(facts, then),
    ...letWebIn(facts, then),
    ...others(facts),
    ...(ufw.incoming === "drop" || ufw.incoming === "reject" ? [] : [run("ufw default deny incoming")]),
    ...(ufw.routed === "accept" ? [routedFirst(), run("ufw default deny routed")] : []),
    run("ufw --force enable"),
    ...(ufw.atBoot.kind === "read" && !ufw.atBoot.value ? [run("systemctl enable ufw")] : []),
    ...secondLogin(facts),
    say("Not in? In this session: ufw disable"),
  ];
}

/**
 * Whether chains of UFW's are in the kernel. Where nothing leads to them, `ufw enable` and `ufw reload` take them for
 * loaded, shut INPUT and lead nothing to them: SSH is cut, whatever the rules allow.
 */
function hasLeftovers({ tables }: FirewallFacts): boolean {
  if (tables.kind !== "read") return true;
  return tables.value.some(({ chains }) => [...chains.keys()].some((name) => name.startsWith("ufw")));
}

function takesRestart(ports: readonly number[]): Step {
  const allows = ports.map((port) => `ufw allow ${port}/tcp`).join("; ");
  return say(
    `Chains of UFW are in the kernel, and nothing leads to them: turned on now, UFW would shut everything, SSH too. Let SSH in (${allows}), have UFW start with the machine (systemctl enable ufw, ENABLED=yes in /etc/ufw/ufw.conf), and restart the server when it suits you.`,
  );
}

/** Returns how a UFW that is on denies what no rule names. */
export function denyByDefault(facts: Facts, ufw: UfwFacts): Step[] {
  const way = wayInOf(facts);
  if (!way.seen) return [portsUnknown()];
  const forwards = ufw.routed === "accept";
  return [
    say(opening(way.ports)),
    ...letSshIn(facts, ufw),
    ...letWebIn(facts, ufw),
    ...others(facts),
    ...(forwards ? [routedFirst()] : []),
    ...(ufw.incoming === "accept" ? [run("ufw default deny incoming")] : []),
    ...(forwards ? [run("ufw default deny routed")] : []),
    run("ufw reload"),
    ...secondLogin(facts),
    say("Not in? In this session: ufw default allow incoming && ufw reload"),
  ];
}

/** Returns how IPv6 is judged by UFW as IPv4 is. */
export function filterIpv6(facts: Facts, ufw: UfwFacts): Step[] {
  const way = wayInOf(facts);
  if (!way.seen) return [portsUnknown()];
  // UFW wrote no rules for IPv6 while it was off: they come after the reload that makes its chains.
  return [
    say(opening(way.ports)),
    ipv6On(),
    run("ufw reload"),
    ...letSshIn(facts, { ...ufw, ipv6: true }),
    ...letWebIn(facts, { ...ufw, ipv6: true }),
    ...secondLogin(facts),
  ];
}

function routedFirst(): Step {
  return say(
    "If this host routes for others (WireGuard, virtual machines), allow that first: ufw route allow ...",
  );
}

function ipv6On(): Step {
  return run("sed -i 's/^IPV6=.*/IPV6=yes/' /etc/default/ufw");
}

function opening(ports: readonly number[]): string {
  return ports.length === 0
    ? "No SSH server was seen here. Whatever you come in by must be allowed first."
    : `SSH comes in on ${portsText(ports)}: that is let in first.`;
}

export function portsUnknown(): Step {
  return say(
    "Nothing to paste: on which port sshd listens could not be seen, and a firewall that shuts it locks you out. Look first: sudo seawall audit --layer ssh,firewall",
  );
}

/** What else listens and will be shut, so that nobody finds out later. */
function others(facts: Facts): Step[] {
  const { ports } = wayInOf(facts);
  const shut = outward(facts).filter(({ port }) => !ports.includes(port) && !WEB.includes(port));
  if (shut.length === 0) return [];
  const texts = [...new Set(shut.map(listenerText))]
    .filter((text) => /^[\w .:()[\]*-]+$/.test(text))
    .slice(0, 6);
  return [say(`Shut by this unless you allow it too: ${texts.join(", ") || `${shut.length} socket(s)`}.`)];
}

function outward(facts: Facts): readonly Listener[] {
  return valueOr(facts.listeners, []).filter(
    ({ protocol, address }) => protocol === "tcp" && !isLoopbackAddress(address),
  );
}
