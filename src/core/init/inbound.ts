/** Who may reach this host: SSH, tunnels and a web server that is there; everything else is said and stays shut. */
import { webhookSender } from "../policy/preset/webhook-sender.ts";
import { resolveGuards } from "../policy/guard.ts";
import type { Facts, Listener } from "./facts.ts";
import { comment, terms } from "./text.ts";

const SSH_PORT = 22;
const HTTP_PORT = 80;
const HTTPS_PORT = 443;
/** LIMIT: shut ports that are listed. */
const SHUT_MAX = 20;

/** Returns the section `inbound:` with its comments. */
export function inboundLines(facts: Facts): string[] {
  const rules = [...sshRule(facts), ...tunnelRules(facts), ...webRule(facts)];
  return [
    ...(rules.some((line) => !line.trimStart().startsWith("#")) ? ["inbound:"] : ["inbound: []"]),
    ...rules,
    ...webhookHints(facts),
    ...shutHints(facts),
  ];
}

function sshRule({ neighbours: { ssh, sshPasswords } }: Facts): string[] {
  if (ssh.length === 0) {
    return comment(
      "No SSH server listens here. If you log in by one, allow its port before you apply: an own rule `allow: ssh`, `from: any`.",
      "  ",
    );
  }
  const ports = ssh.map(({ port }) => (port === SSH_PORT ? "ssh" : port));
  const evidence = ssh.map(({ port, evidence: why }) => `${port}: ${why}`).join("; ");
  const why =
    sshPasswords === false ? "administration, keys only" : "administration over SSH, never narrowed by init";
  return [
    ...comment(
      `${evidence}.${sshPasswords === true ? " Passwords are taken: keys only would be safer." : ""}`,
      "  ",
    ),
    `  - allow: ${terms(ports)}`,
    "    from: any",
    `    why: ${why}`,
  ];
}

function tunnelRules({ neighbours: { tunnels } }: Facts): string[] {
  const silent = tunnels.filter(({ port }) => port === null);
  const open = tunnels.flatMap(({ name, port }) => (port === null ? [] : [{ name, port }]));
  const ports = [...new Set(open.map(({ port }) => port))].sort((left, right) => left - right);
  return [
    ...(ports.length === 0
      ? []
      : [
          ...comment(open.map(({ name, port }) => `${name} listens on udp/${port}`).join("; "), "  "),
          `  - allow: ${terms(ports.map((port) => `udp/${port}`)).replaceAll('"', "")}`,
          "    from: any",
          "    why: encrypted tunnel of the operators",
        ]),
    ...silent.flatMap(({ name }) =>
      comment(
        `${name} is a WireGuard link whose port could not be found out: allow udp/PORT if peers call it.`,
        "  ",
      ),
    ),
  ];
}

function webRule({ neighbours }: Facts): string[] {
  const world = neighbours.listeners.filter(({ isLoopback }) => !isLoopback);
  const on = (protocol: Listener["protocol"], port: number): Listener | undefined =>
    world.find((listener) => listener.protocol === protocol && listener.port === port);
  const [http, https, quic] = [on("tcp", HTTP_PORT), on("tcp", HTTPS_PORT), on("udp", HTTPS_PORT)];
  const services = [
    ...(http === undefined ? [] : ["http"]),
    ...(https === undefined ? [] : ["https"]),
    ...(https === undefined || quic === undefined ? [] : ["http3"]),
  ];
  if (services.length === 0) return [];
  const programs = [...new Set([http, https].flatMap((listener) => listener?.program ?? []))];
  return [
    ...comment(
      `${programs.length === 0 ? "A web server" : programs.join(", ")} listens on ${services.join(", ")}.`,
      "  ",
    ),
    `  - allow: ${terms(services)}`,
    "    from: any",
    "    why: the web server of this host",
  ];
}

/** Where webhooks come from; they go to the web server in front of the gateway, so they need no port of their own. */
function webhookHints({ instances }: Facts): string[] {
  const listeners = instances.flatMap(({ needs }) => needs?.listeners ?? []);
  const seen = new Set<string>();
  return listeners.flatMap(({ value: { channel, port } }) => {
    if (seen.has(channel)) return [];
    seen.add(channel);
    const sender = webhookSender(channel);
    const from =
      sender === undefined
        ? "from servers that you know"
        : sender.prefixes.length === 0
          ? `from addresses that it does not publish; ${sender.proof} proves it`
          : `from ${sender.prefixes.join(", ")} (${sender.source}); ${sender.proof} proves it`;
    const where = port === null ? "the gateway" : `port ${port}`;
    return comment(`${channel} calls ${where} by webhook ${from}. Let a web server on 443 pass it on.`, "  ");
  });
}

/** SECURITY: what listens to the world and is not allowed above stops being reachable: that must be seen. */
function shutHints({ neighbours }: Facts): string[] {
  const ssh = new Set(neighbours.ssh.map(({ port }) => port));
  const shut = new Map<number, string>();
  for (const { protocol, port, isLoopback, program } of neighbours.listeners) {
    if (protocol !== "tcp" || isLoopback || ssh.has(port) || port === HTTP_PORT || port === HTTPS_PORT)
      continue;
    shut.set(port, `${port} (${program ?? "the kernel"}${isGuarded(port) ? ", always shut" : ""})`);
  }
  if (shut.size === 0) return [];
  const shown = [...shut].sort(([left], [right]) => left - right).map(([, text]) => text);
  const more = shown.length > SHUT_MAX ? ` and ${shown.length - SHUT_MAX} more` : "";
  return comment(
    `Listens to the world and is shut by this policy, tcp: ${shown.slice(0, SHUT_MAX).join(", ")}${more}. Allow what others need.`,
    "  ",
  );
}

const GUARDS = resolveGuards([]).filter(({ direction }) => direction === "inbound");

function isGuarded(port: number): boolean {
  return GUARDS.some(({ services }) =>
    services.some(({ ports }) => port >= ports.first && port <= ports.last),
  );
}
