/** Layer 2, what a stranger reaches: judged on the kernel's own tables. */
import { isPublicIp } from "../../net/address-class.ts";
import { parseIp } from "../../net/ip.ts";
import { type Check, type Outcome, fail, given, notApplicable, pass, passUnless, unknown } from "../check.ts";
import type { FirewallFacts } from "../fact/firewall.ts";
import type { Facts } from "../fact/facts.ts";
import { isLoopbackAddress, type Listener, listenerText } from "../fact/listener.ts";
import { about, byEvidence, withNumbers } from "../failure.ts";
import {
  fixDefaultAllow,
  fixNoFirewall,
  fixOpenPorts,
  fixOutbound,
  fixSshShut,
  fixSshUnlimited,
} from "../fix/firewall.ts";
import type { Table } from "../filter/model.ts";
import { valueOr } from "../reading.ts";
import { reachOfPort, reachOfPublish, reachOutward, type Verdict } from "./world.ts";

const LOOKS =
  "nft -j list ruleset and iptables-save: a new connection from the internet walked through every chain";

/** Ports that are a way in by themselves: the gateway, its old defaults, Docker, browsers, databases. */
const GIVES_AWAY = new Set([
  18_789, 18_790, 2375, 2376, 2377, 9222, 3306, 5432, 6379, 9200, 11_211, 27_017, 5900, 6080,
]);
const INTENDED: Readonly<Record<"tcp" | "udp", readonly number[]>> = { tcp: [80, 443], udp: [443, 41_641] };
/** A port that nobody would open by a rule: what happens to it is what happens to everything else. */
const SOME_PORT = 47_113;

type Judge = (firewall: FirewallFacts, tables: readonly Table[]) => Outcome;

function onTables(facts: Facts, judge: Judge): Outcome {
  return given(facts.firewall, (firewall) => given(firewall.tables, (tables) => judge(firewall, tables)));
}

const cannotTell = (what: string, verdict: Verdict): Outcome =>
  unknown(
    `${what}: a rule that the audit cannot read stands in the way (${verdict.where})`,
    "nft list ruleset, and read that rule yourself",
  );

export const FIREWALL_RULE_CHECKS: readonly Check[] = [
  {
    id: "FW-001",
    layer: "firewall",
    severity: "critical",
    title: "A firewall of this host is enforcing",
    fails: "No firewall of this host is enforcing",
    why: "without one, every program that opens a port is open to the internet",
    fix: "a firewall that lets sshd's own ports in first: seawall init, then seawall apply; or UFW",
    remedy: fixNoFirewall,
    looksAt: LOOKS,
    judge: (facts) =>
      onTables(facts, (firewall, tables) => {
        const verdict = reachOfPort(firewall, tables, "tcp", SOME_PORT);
        if (verdict.reach === "closed")
          return pass(`a new connection to an unused port is dropped by ${verdict.where}`);
        if (verdict.reach === "maybe") return cannotTell("whether an unused port is closed", verdict);
        return fail(
          `a new connection to an unused port is accepted (${verdict.where}); state of Seawall: ${firewall.seawall.state}`,
        );
      }),
  },
  {
    id: "FW-003",
    layer: "firewall",
    severity: "critical",
    title: "What no rule names is denied, to this host and through it",
    fails: "What no rule names is let in",
    why: "a default of accept opens every port that you did not think of",
    fix: "let sshd's own ports in by a rule, then deny what no rule names",
    remedy: fixDefaultAllow,
    looksAt: LOOKS,
    judge: (facts) =>
      onTables(facts, (firewall, tables) => {
        const tcp = reachOfPort(firewall, tables, "tcp", SOME_PORT);
        const udp = reachOfPort(firewall, tables, "udp", SOME_PORT);
        const problems = [
          ...(tcp.reach === "open" ? [`incoming TCP is accepted by default (${tcp.where})`] : []),
          ...(udp.reach === "open" ? [`incoming UDP is accepted by default (${udp.where})`] : []),
          ...ufwDefaults(firewall),
        ];
        if (problems.length === 0 && tcp.reach === "maybe")
          return cannotTell("the default for incoming", tcp);
        return passUnless(problems, `TCP and UDP to an unused port are dropped by ${tcp.where}`);
      }),
  },
  {
    id: "FW-004",
    layer: "firewall",
    severity: "critical",
    title: "Only SSH and the web are reachable from outside",
    fails: withNumbers("Ports that strangers reach", /^\S+ \S+:(\d+)/),
    why: "every other port that answers strangers is one more program that must have no hole",
    fix: "bind the program to 127.0.0.1, or take out the rule that lets its port in",
    remedy: (facts, seen) => fixOpenPorts(facts, portsSaid(seen)),
    looksAt: "every socket that listens, walked through every chain of the kernel",
    judge: (facts) =>
      onTables(facts, (firewall, tables) =>
        given(facts.listeners, (all) => openPorts(facts, firewall, tables, all)),
      ),
  },
  {
    id: "FW-006",
    layer: "firewall",
    severity: "critical",
    title: "The gateway's port is closed to strangers",
    fails: withNumbers("Strangers reach the gateway's port", /port (\d+)/),
    why: "whoever reaches the gateway can give your agent orders",
    fix: "take out the rule that lets the gateway's port in; reach it through an SSH tunnel, a tailnet or a proxy instead",
    remedy: (facts) =>
      fixOpenPorts(
        facts,
        gatewayPorts(facts).map((port) => ({ protocol: "tcp", port })),
      ),
    looksAt: LOOKS,
    judge: (facts) =>
      onTables(facts, (firewall, tables) => {
        const ports = gatewayPorts(facts);
        const verdicts = ports.map((port) => ({ port, verdict: reachOfPort(firewall, tables, "tcp", port) }));
        const open = verdicts.filter(({ verdict }) => verdict.reach === "open");
        if (open.length > 0)
          return fail(
            open.map(
              ({ port, verdict }) =>
                `a stranger's connection to port ${port} is let through (${verdict.where})`,
            ),
          );
        const unclear = verdicts.find(({ verdict }) => verdict.reach === "maybe");
        if (unclear !== undefined)
          return cannotTell(`whether port ${unclear.port} is closed`, unclear.verdict);
        return pass(`closed: ${ports.join(", ")} (dropped by ${verdicts[0]?.verdict.where ?? ""})`);
      }),
  },
  {
    id: "FW-007",
    layer: "firewall",
    severity: "critical",
    title: "SSH is let through",
    fails: withNumbers("SSH is shut to everybody outside, port", /port (\d+)/),
    why: "with the port closed you are locked out as soon as this session ends",
    fix: "let sshd's own ports in, by UFW or by an inbound rule of the policy",
    remedy: fixSshShut,
    looksAt: LOOKS,
    judge: (facts) =>
      onTables(facts, (firewall, tables) => {
        const ports = sshPorts(facts);
        if (ports.length === 0) return notApplicable("no SSH server listens here");
        const closed = ports.filter((port) => reachOfPort(firewall, tables, "tcp", port).reach === "closed");
        if (closed.length === 0) return pass(`let through: ${ports.join(", ")}`);
        if (allowsSomebody(firewall, closed))
          return pass(`port ${closed.join(", ")} is let through for some sources only`);
        return fail(
          closed.map(
            (port) =>
              `port ${port} is closed to everybody outside (${reachOfPort(firewall, tables, "tcp", port).where})`,
          ),
        );
      }),
  },
  {
    id: "FW-008",
    layer: "firewall",
    severity: "low",
    title: "SSH is limited to some sources, or to a rate",
    fails: "SSH answers everybody, as often as they like",
    why: "a door that answers everybody as often as they like is tried day and night",
    fix: "a rate or a source for SSH: ufw limit, or `rate:` in the policy",
    remedy: fixSshUnlimited,
    looksAt: LOOKS,
    judge: (facts) =>
      onTables(facts, (firewall, tables) => {
        const ports = sshPorts(facts);
        if (ports.length === 0) return notApplicable("no SSH server listens here");
        return passUnless(
          ports
            .filter((port) => reachOfPort(firewall, tables, "tcp", port).reach === "open")
            .map((port) => `port ${port} is open to everybody at any rate`),
          `port ${ports.join(", ")}: not for everybody at any rate`,
        );
      }),
  },
  {
    id: "FW-011",
    layer: "firewall",
    severity: "critical",
    title: "Published container ports do not bypass the firewall",
    fails: about("A container", "is published past the firewall", "are published past the firewall"),
    why: "Docker forwards a published port past UFW: `deny incoming` does not stop it",
    fix: "publish on 127.0.0.1, or let Seawall judge forwarded traffic: seawall apply",
    looksAt: `${LOOKS}; each published port as its container sees it after NAT`,
    judge: (facts) =>
      onTables(facts, (firewall, tables) =>
        given(facts.docker, (docker) => {
          const published = docker.containers.flatMap((container) =>
            container.published
              .filter(({ address }) => isForWorld(address))
              .map((publish) => ({ container, publish })),
          );
          const unwanted = published.filter(({ publish }) => !INTENDED.tcp.includes(publish.hostPort));
          const verdicts = unwanted.map((one) => ({
            ...one,
            verdict: reachOfPublish(firewall, tables, one.container, one.publish),
          }));
          return passUnless(
            verdicts
              .filter(({ verdict }) => verdict.reach !== "closed")
              .map(
                ({ container, publish, verdict }) =>
                  `${container.name}: ${publish.address}:${publish.hostPort} -> ${publish.port} ${verdict.reach === "open" ? "is" : "may be"} reachable (${verdict.where})`,
              ),
            published.length === 0
              ? "no container publishes a port to the outside"
              : `${published.length} published port(s): dropped, or 80 and 443`,
          );
        }),
      ),
  },
  {
    id: "FW-016",
    layer: "firewall",
    severity: "medium",
    title: "What the agent may reach is limited",
    fails: byEvidence("The agent may reach anything on the internet", [
      /observes/,
      "What the agent reaches is watched, not limited",
    ]),
    why: "an agent that is tricked can send what it knows to any address on the internet",
    fix: "outbound: enforce in the policy, after some days of observe",
    remedy: (facts) => fixOutbound(facts),
    looksAt: `${LOOKS}; outward`,
    judge: (facts) =>
      onTables(facts, (firewall, tables) => {
        if (firewall.seawall.outbound === "enforce") return pass("Seawall enforces the outbound policy");
        if (reachOutward(firewall, tables).reach === "closed")
          return pass("outgoing connections are dropped unless a rule allows them");
        const said =
          firewall.seawall.outbound === "observe"
            ? "Seawall observes outbound traffic and stops none of it"
            : "nothing limits outgoing connections";
        return fail(said);
      }),
  },
];

function ufwDefaults(firewall: FirewallFacts): string[] {
  const { ufw } = firewall;
  if (ufw.kind !== "read" || !ufw.value.enabledInFile) return [];
  return [
    ...(ufw.value.incoming === "accept" ? ["ufw: DEFAULT_INPUT_POLICY is ACCEPT"] : []),
    ...(ufw.value.routed === "accept" ? ["ufw: DEFAULT_FORWARD_POLICY is ACCEPT"] : []),
  ];
}

function openPorts(
  facts: Facts,
  firewall: FirewallFacts,
  tables: readonly Table[],
  all: readonly Listener[],
): Outcome {
  const ssh = sshPorts(facts);
  const reached = all
    .filter(({ address }) => !isLoopbackAddress(address))
    .map((listener) => ({
      listener,
      verdict: reachOfPort(firewall, tables, listener.protocol, listener.port),
    }))
    .filter(({ verdict }) => verdict.reach !== "closed");
  const isWanted = ({ protocol, port }: Listener): boolean =>
    INTENDED[protocol].includes(port) || (protocol === "tcp" && ssh.includes(port));
  const unwanted = reached.filter(({ listener }) => !isWanted(listener));
  const lines = unwanted.map(
    ({ listener, verdict }) =>
      `${listenerText(listener)} ${verdict.reach === "open" ? "is" : "may be"} reachable (${verdict.where})`,
  );
  if (unwanted.some(({ verdict }) => verdict.reach === "open"))
    return fail(
      lines,
      unwanted.some(({ listener }) => GIVES_AWAY.has(listener.port)) ? {} : { severity: "high" },
    );
  const [unclear] = unwanted;
  if (unclear !== undefined) return cannotTell(listenerText(unclear.listener), unclear.verdict);
  return pass(
    reached.length === 0
      ? "no socket is reachable from outside"
      : `reachable: ${reached.map(({ listener }) => listenerText(listener)).join(", ")}`,
  );
}

/** `tcp 0.0.0.0:5432 (postgres) is reachable` of the evidence. */
function portsSaid(evidence: readonly string[]): { readonly protocol: string; readonly port: number }[] {
  return evidence.flatMap((line) => {
    const [, protocol, port] = /^(tcp|udp) \S+:(\d+)\b/.exec(line) ?? [];
    return protocol === undefined ? [] : [{ protocol, port: Number(port) }];
  });
}

/** The configured port and the defaults of today and of old guides; the latter only where somebody listens. */
function gatewayPorts(facts: Facts): number[] {
  const instances = facts.openclaw.kind === "read" ? facts.openclaw.value.instances : [];
  const own = instances.flatMap(({ listeners }) => listeners.map(({ port }) => port));
  return [...new Set([18_789, ...own])];
}

export function sshPorts(facts: Facts): number[] {
  if (facts.ssh.kind === "read" && facts.ssh.value.listening.kind === "read")
    return [...facts.ssh.value.listening.value];
  const listeners = valueOr(facts.listeners, []);
  return [
    ...new Set(
      listeners
        .filter(({ program, protocol, uid }) => protocol === "tcp" && program === "sshd" && uid === 0)
        .map(({ port }) => port),
    ),
  ];
}

/** UFW rules name their sources; a rule from somewhere is a way in that a stranger does not have. */
function allowsSomebody(firewall: FirewallFacts, ports: readonly number[]): boolean {
  if (firewall.ufw.kind !== "read") return firewall.seawall.state === "enforcing";
  const { rules } = firewall.ufw.value;
  return ports.every(
    (port) =>
      rules.some((rule) => /^(allow|limit) /.test(rule) && rule.split(" ")[2] === String(port)) ||
      rules.some((rule) => /^allow .* in_tailscale/.test(rule)),
  );
}

/** Whether a published address is every address, or one that the internet routes to. */
export function isForWorld(address: string): boolean {
  if (address === "" || address === "0.0.0.0" || address === "::") return true;
  const ip = parseIp(address);
  return ip === undefined || isPublicIp(ip);
}
