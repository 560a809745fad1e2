/** What mends the firewall of this host: a firewall where there is none, doors that are shut, doors that are open. */
import { reachOfPort } from "../check/world.ts";
import type { Facts } from "../fact/facts.ts";
import type { FirewallFacts, UfwFacts } from "../fact/firewall.ts";
import { type Step, fixText, run, say } from "./fix.ts";
import { denyByDefault, filterIpv6, letSshIn, portsUnknown, turnUfwOn } from "./ufw.ts";
import { loginLine, portsText, secondLogin, wayInOf } from "./way-in.ts";

/** A port that nobody would open by a rule: what happens to it is what happens to everything else. */
const SOME_PORT = 47_113;

function onFirewall(facts: Facts, steps: (firewall: FirewallFacts) => readonly Step[]): string {
  if (facts.firewall.kind !== "read") return fixText([portsUnknown()]);
  return fixText(steps(facts.firewall.value));
}

function ufwOf({ ufw }: FirewallFacts): UfwFacts | null {
  return ufw.kind === "read" ? ufw.value : null;
}

/** FW-001: a firewall, by what is installed: Seawall's policy, UFW, or a policy that init writes first. */
export function fixNoFirewall(facts: Facts): string {
  return onFirewall(facts, (firewall) => {
    const ufw = ufwOf(firewall);
    if (ufw === null || firewall.seawall.policyFile !== null) return enforceWithSeawall(facts, firewall);
    return ufw.inKernel4 ? denyByDefault(facts, ufw) : turnUfwOn(facts, firewall, ufw);
  });
}

/** FW-002 */
export function fixUfwOff(facts: Facts): string {
  return onFirewall(facts, (firewall) => {
    const ufw = ufwOf(firewall);
    if (ufw === null) return enforceWithSeawall(facts, firewall);
    if (ufw.inKernel4 && ufw.enabledInFile)
      return [say("UFW is on now, and nothing turns it on at boot."), run("systemctl enable ufw")];
    return turnUfwOn(facts, firewall, ufw);
  });
}

/** FW-003 */
export function fixDefaultAllow(facts: Facts): string {
  return onFirewall(facts, (firewall) => {
    const ufw = ufwOf(firewall);
    if (ufw?.inKernel4 === true && (ufw.incoming === "accept" || ufw.routed === "accept"))
      return denyByDefault(facts, ufw);
    if (ufw !== null && ufw.enabledInFile && !ufw.inKernel4) return turnUfwOn(facts, firewall, ufw);
    return [say("The same as FW-001:"), ...asSteps(fixNoFirewall(facts))];
  });
}

/** FW-005 */
export function fixIpv6Open(facts: Facts): string {
  return onFirewall(facts, (firewall) => {
    const ufw = ufwOf(firewall);
    if (ufw?.inKernel4 === true && !ufw.ipv6) return filterIpv6(facts, ufw);
    if (ufw !== null && !ufw.inKernel4) return turnUfwOn(facts, firewall, ufw);
    return enforceWithSeawall(facts, firewall);
  });
}

function asSteps(text: string): Step[] {
  return text.split("\n").map((line) => (line.startsWith("# ") ? say(line.slice(2)) : run(line)));
}

/** Seawall looks at the sessions itself, and takes back what nobody confirms. */
export function enforceWithSeawall(facts: Facts, { seawall }: FirewallFacts): Step[] {
  if (seawall.state === "pending")
    return [
      say("A policy waits to be confirmed. From a second login:"),
      say(`  ${loginLine(facts)} sudo seawall confirm`),
    ];
  if ((seawall.state === "observing" || seawall.state === "enforcing") && seawall.policyFile !== null)
    return [
      say(
        `Seawall only watches what comes in. Set inbound to enforce in ${seawall.policyFile}, then: seawall apply, and confirm from a second login: ${loginLine(facts)} sudo seawall confirm`,
      ),
    ];
  return [
    say("Seawall keeps the SSH you are in by, and goes back by itself when nobody confirms."),
    ...(seawall.policyFile === null ? [run("seawall init")] : []),
    run("seawall apply --confirm-within 5m"),
    say("Keep this session open. From your own computer, within five minutes:"),
    say(`  ${loginLine(facts)} sudo seawall confirm`),
  ];
}

/** FW-004, FW-006: ports that answer strangers, each by what lets it in. */
export function fixOpenPorts(
  facts: Facts,
  ports: readonly { readonly protocol: string; readonly port: number }[],
): string {
  return onFirewall(facts, (firewall) => {
    if (!isClosedByDefault(firewall))
      return [
        say(
          "Nothing closes ports on this host: mend FW-001 first, which closes these too. Bound to 127.0.0.1, a program is closed without any firewall.",
        ),
      ];
    const ufw = ufwOf(firewall);
    const own = wayInOf(facts).ports;
    return [
      say("Bound to 127.0.0.1, a program needs no rule. What lets it in now:"),
      ...ports.flatMap(({ protocol, port }) => closePort(ufw, protocol, port, own)),
    ];
  });
}

function closePort(ufw: UfwFacts | null, protocol: string, port: number, own: readonly number[]): Step[] {
  const named = [`${protocol}/${port}`, `${port}/${protocol}`][1] ?? "";
  if (own.includes(port)) return [say(`Port ${port} is one that SSH comes in by: move the other program.`)];
  if (ufw?.inKernel4 !== true)
    return [
      say(
        `${protocol} ${port}: take its rule out of the policy (seawall explain 9.9.9.9 ${port}) or of the program that wrote it.`,
      ),
    ];
  const exact = new RegExp(`^(allow|limit) ${protocol} ${port} (0\\.0\\.0\\.0/0|::/0) any \\2 in$`);
  const verbs = [...new Set(ufw.rules.flatMap((rule) => exact.exec(rule)?.[1] ?? []))];
  if (verbs.length > 0) return verbs.map((verb) => run(`ufw delete ${verb} ${named}`));
  return [
    say(
      `${named}: let in by a rule for more than this port (ufw status numbered). Allow what you need of it by itself, SSH on ${portsText(own)} above all, before you delete it.`,
    ),
  ];
}

export function isClosedByDefault(
  firewall: FirewallFacts,
  except: (name: string) => boolean = () => false,
): boolean {
  if (firewall.tables.kind !== "read") return false;
  const tables = firewall.tables.value.filter(({ name }) => !except(name));
  return reachOfPort(firewall, tables, "tcp", SOME_PORT).reach === "closed";
}

/** FW-007: the door itself is shut. */
export function fixSshShut(facts: Facts): string {
  return onFirewall(facts, (firewall) => {
    const { ports } = wayInOf(facts);
    const shut = ports.flatMap((port) => shutBy(firewall, port) ?? []);
    const ufw = ufwOf(firewall);
    const byUfw =
      ufw?.inKernel4 === true
        ? letSshIn(
            facts,
            ufw,
            shut.map(({ port }) => port),
          )
        : [];
    if (byUfw.length > 0) return [say("Let SSH in by UFW:"), ...byUfw, ...secondLogin(facts)];
    return [
      say("Let SSH in, by whoever shuts it:"),
      ...shut.flatMap((one) => openBy(facts, firewall, one)),
      ...secondLogin(facts),
    ];
  });
}

interface Shut {
  readonly port: number;
  /** `inet filter input`, `iptables filter INPUT`. */
  readonly chain: string;
}

function shutBy(firewall: FirewallFacts, port: number): Shut | null {
  if (firewall.tables.kind !== "read") return null;
  const { reach, where } = reachOfPort(firewall, firewall.tables.value, "tcp", port);
  return reach === "closed" ? { port, chain: where } : null;
}

function openBy(facts: Facts, firewall: FirewallFacts, { port, chain }: Shut): Step[] {
  if (chain.startsWith("inet seawall"))
    return [
      say(
        `Seawall refuses port ${port}. Add to inbound in ${firewall.seawall.policyFile ?? "/etc/seawall/policy.yaml"}: {allow: ${port}, from: any, why: administration by SSH}; then: seawall apply, and confirm from a second login: ${loginLine(facts, { port })} sudo seawall confirm`,
      ),
    ];
  if (/^ip6?tables(-legacy)? filter INPUT$/.test(chain)) {
    const suffix = chain.includes("-legacy") ? "-legacy" : "";
    const programs = [`iptables${suffix}`, ...(firewall.hasIpv6 ? [`ip6tables${suffix}`] : [])];
    return programs.map((program) => run(`${program} -I INPUT -p tcp --dport ${port} -j ACCEPT`));
  }
  if (/^(ip|ip6|inet) [A-Za-z_][\w-]* [A-Za-z_][\w-]*$/.test(chain))
    return [
      run(`nft insert rule ${chain} tcp dport ${port} accept`),
      say("That holds until the next start; write it into the file that loads this chain too."),
    ];
  return [say(`${chain} drops port ${port}: let it in there.`)];
}

/** FW-008: a rate in place of an open door, where UFW holds the door. */
export function fixSshUnlimited(facts: Facts): string {
  return onFirewall(facts, (firewall) => {
    const ufw = ufwOf(firewall);
    const { ports } = wayInOf(facts);
    if (firewall.seawall.state === "enforcing" && ufw?.inKernel4 !== true)
      return [
        say(
          `In ${firewall.seawall.policyFile ?? "the policy"}, give the rule for SSH a rate (rate: 6/minute) or a source (from: YOUR.ADDRESS), then: seawall apply`,
        ),
      ];
    if (!isClosedByDefault(firewall) || ufw?.inKernel4 !== true)
      return [say("Nothing closes ports on this host: mend FW-001 first.")];
    return [
      say("At most six connections in thirty seconds from one address:"),
      ...ports.flatMap((port) => limitPort(ufw, port)),
      ...secondLogin(facts),
    ];
  });
}

function limitPort({ rules }: UfwFacts, port: number): Step[] {
  const others = rules.filter(
    (rule) => rule.startsWith("allow ") && !/^allow tcp \d+ (0\.0\.0\.0\/0|::\/0) any \1 in$/.test(rule),
  );
  const named = others.filter((rule) => rule.split(" ")[2]?.split(",").includes(String(port)) === true);
  return [
    run(`ufw limit ${port}/tcp`),
    ...(named.length === 0
      ? []
      : [
          say(
            `Another rule lets everybody in at any rate, and is yours to delete now (ufw status numbered): ${named[0] ?? ""}`,
          ),
        ]),
  ];
}

/** FW-016 */
export function fixOutbound(facts: Facts): string {
  return onFirewall(facts, (firewall) => {
    const file = firewall.seawall.policyFile ?? "/etc/seawall/policy.yaml";
    const watch = say(
      `Watch for some days what the agent needs (seawall flows), then set outbound to enforce in ${file}: seawall apply, and confirm from a second login.`,
    );
    return firewall.seawall.state === "off" || firewall.seawall.policyFile === null
      ? [...enforceWithSeawall(facts, firewall), watch]
      : [watch];
  });
}

/** FW-017 */
export function fixLogging(facts: Facts): string {
  return onFirewall(facts, (firewall) =>
    ufwOf(firewall)?.enabledInFile === true
      ? [say("UFW logs what it refuses, a few lines a minute:"), run("ufw logging low")]
      : [say("Nothing that logs is on: mend FW-001 first.")],
  );
}
