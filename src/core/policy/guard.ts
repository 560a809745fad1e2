/**
 * The built-in guards: what is never open, in every mode, until an accepted risk lifts it by name.
 * `docs/` and `explain` print `why`, so it is written for the operator.
 */
import { withEmbedded } from "../net/address-class.ts";
import type { Hostname, NamePattern } from "../net/hostname.ts";
import type { PrefixSet } from "../net/prefix-set.ts";
import type { AcceptedRisk } from "./document.ts";
import { OWN_PORTS } from "./gate-port.ts";
import type { GUARD_IDS } from "./parse/vocabulary.ts";
import type { ResolvedGuard, ServiceMatch } from "./resolved.ts";

interface GuardEntry {
  readonly id: `guard.${(typeof GUARD_IDS)[number]}`;
  readonly direction: "inbound" | "outbound";
  readonly services: readonly ServiceMatch[];
  readonly to: PrefixSet | null;
  readonly names: readonly string[];
  readonly why: string;
}

const tcp = (first: number, last = first): ServiceMatch => ({ protocol: "tcp", ports: { first, last } });
const both = (first: number, last = first): ServiceMatch => ({ protocol: "both", ports: { first, last } });
const EVERYTHING: readonly ServiceMatch[] = [{ protocol: "every", ports: { first: 0, last: 65_535 } }];

const GUARDS: readonly GuardEntry[] = [
  {
    id: "guard.gateway",
    direction: "inbound",
    services: [tcp(18_789, 18_790)],
    to: null,
    names: [],
    why: "the OpenClaw gateway runs commands for whoever reaches it; use an SSH tunnel, a tailnet or a proxy",
  },
  {
    id: "guard.cdp",
    direction: "inbound",
    services: [tcp(9222, 9229), tcp(18_791, 18_899)],
    to: null,
    names: [],
    why: "a browser debugging port gives away the browser and every session in it",
  },
  {
    id: "guard.docker-api",
    direction: "inbound",
    services: [tcp(2375, 2377)],
    to: null,
    names: [],
    why: "the Docker API is root on this host",
  },
  {
    id: "guard.seawall",
    direction: "inbound",
    services: OWN_PORTS.map((ports) => both(ports.first, ports.last)),
    to: null,
    names: [],
    why: "Seawall's own ports are for this host only",
  },
  {
    id: "guard.metadata",
    direction: "outbound",
    services: EVERYTHING,
    to: withEmbedded([
      "169.254.169.254/32",
      "169.254.170.2/32",
      "169.254.170.23/32",
      "100.100.100.200/32",
      "168.63.129.16/32",
      "fd00:ec2::254/128",
      "fd00:ec2::23/128",
      "fd20:ce::254/128",
    ]),
    names: ["metadata.google.internal", "metadata.goog", "instance-data.ec2.internal"],
    why: "cloud metadata hands out the credentials of this machine",
  },
  {
    id: "guard.link-local",
    direction: "outbound",
    services: EVERYTHING,
    to: withEmbedded(["169.254.0.0/16", "fe80::/10"]),
    names: [],
    why: "link-local addresses are the provider's and the local network's inside, not the internet",
  },
  {
    id: "guard.docker-api-out",
    direction: "outbound",
    services: [tcp(2375, 2376)],
    to: null,
    names: [],
    why: "the Docker API is root on the host that serves it",
  },
  {
    id: "guard.control",
    direction: "outbound",
    services: [tcp(18_900)],
    to: null,
    names: [],
    why: "the agent must not reach the firewall's own control port",
  },
];

/**
 * Returns the guards with what the operator's accepted risks lift, and until when. `zones` are those that the
 * inbound guards protect from.
 */
export function resolveGuards(
  risks: readonly AcceptedRisk[],
  zones: readonly string[] = ["world"],
): ResolvedGuard[] {
  return GUARDS.map((guard) => {
    const lifts = risks.flatMap(({ risk, expiresMs }) =>
      risk.kind === "guard" && `guard.${risk.guard.replace(/^guard\./, "")}` === guard.id ? [expiresMs] : [],
    );
    return {
      id: guard.id,
      direction: guard.direction,
      services: guard.services,
      to: guard.to,
      names: guard.names.map((name): NamePattern => ({ kind: "exact", name: name as Hostname })),
      zones,
      why: guard.why,
      liftedUntilMs: lifts.length === 0 ? null : Math.max(...lifts),
    };
  });
}
