/** Ways in from elsewhere: Tailscale, the provider's firewall. */
import { type Check, fail, given, notApplicable, pass, passUnless, unknown } from "../check.ts";
import { valueOr } from "../reading.ts";
import { reachOfPort } from "./world.ts";

const TAILSCALE_PORT = 41_641;

export const REMOTE_CHECKS: readonly Check[] = [
  {
    id: "NET-001",
    layer: "remote",
    severity: "high",
    title: "No Funnel leads from the internet to the gateway",
    fails: "A Funnel leads from the internet to this host",
    why: "a Funnel publishes a port to everybody, past every firewall of this host",
    fix: "tailscale funnel reset; tailscale serve reaches your own devices and nobody else",
    looksAt: "tailscale serve status --json",
    judge: (facts) =>
      given(facts.tailscale, ({ running, serves }) => {
        if (!running) return notApplicable("Tailscale is installed and does not run");
        return passUnless(
          serves.filter(({ funnel }) => funnel).map(({ text }) => `Funnel: ${text}`),
          serves.length === 0
            ? "nothing is served"
            : serves.map(({ text }) => `for your tailnet only: ${text}`),
        );
      }),
  },
  {
    id: "NET-002",
    layer: "remote",
    severity: "low",
    title: "Your tailnet gets in, the world needs no port for it",
    fails: "SSH over the tailnet is dropped",
    why: "without a rule for tailscale0 the way in fails when you need it; an open port for it is not needed",
    fix: "let tailscale0 in: ufw allow in on tailscale0 where UFW is on, or a zone in the policy",
    looksAt: "the kernel's rules for tailscale0 and for udp 41641",
    judge: (facts) =>
      given(facts.tailscale, ({ running }) => {
        if (!running) return notApplicable("Tailscale is installed and does not run");
        return given(facts.firewall, (firewall) =>
          given(firewall.tables, (tables) => {
            const [ssh = 22] = facts.ssh.kind === "read" ? valueOr(facts.ssh.value.listening, []) : [];
            const inside = reachOfPort(
              { ...firewall, uplinks: ["tailscale0"], hasIpv6: false },
              tables,
              "tcp",
              ssh,
            );
            const world = reachOfPort(firewall, tables, "udp", TAILSCALE_PORT);
            if (inside.reach === "closed") return fail(`SSH over tailscale0 is dropped by ${inside.where}`);
            return pass(
              `SSH over tailscale0 is let through; udp ${TAILSCALE_PORT} from the world is ${world.reach}`,
            );
          }),
        );
      }),
  },
  {
    id: "NET-003",
    layer: "remote",
    severity: "info",
    title: "The provider's firewall is noted",
    fails: "The provider's firewall is not noted",
    why: "a second firewall outside this host still holds when this one is down",
    fix: 'set it at the provider, then: seawall audit attest NET-003 --says "Hetzner firewall: 22, 443"',
    looksAt: "your own statement: it cannot be seen from inside",
    judge: (facts) => {
      const virtual = facts.host.kind === "read" ? facts.host.value.virtual : null;
      const stated = facts.attested.filter(({ check }) => check === "NET-003").at(-1);
      if (stated !== undefined) return pass(`${stated.owner}, ${stated.on}: ${stated.says}`);
      if (virtual === null && facts.host.kind === "read")
        return notApplicable("this does not look like a rented server");
      return unknown(
        "a firewall of the provider cannot be seen from inside",
        'seawall audit attest NET-003 --says "..."',
      );
    },
  },
];
