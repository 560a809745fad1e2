/** What a stranger on the internet can open on this host, by every table of the kernel. */
import { parseIp } from "../../net/ip.ts";
import type { FirewallFacts } from "../fact/firewall.ts";
import type { Container, Publish } from "../fact/docker.ts";
import { packetOf, possibleAt } from "../filter/evaluate.ts";
import type { Possible, Table } from "../filter/model.ts";

/** Addresses that no filter of bogus sources refuses. Nothing is ever sent to or from them. */
const STRANGER4 = 0x09_09_09_09;
const STRANGER6 = 0x2620_00fe_0000_0000_0000_0000_0000_00fen;

export type Reach = "open" | "maybe" | "closed";

export interface Verdict {
  readonly reach: Reach;
  /** `IPv6 on eth0` where it is most open, or the chain that drops it everywhere. */
  readonly where: string;
}

/** Returns whether a new connection from the internet reaches a socket of this host. */
export function reachOfPort(
  firewall: FirewallFacts,
  tables: readonly Table[],
  protocol: "tcp" | "udp",
  port: number,
): Verdict {
  return worst(
    paths(firewall).map(({ family, link }) => {
      const packet = packetOf({
        family,
        in: link,
        protocol,
        port,
        source: family === "ip" ? STRANGER4 : STRANGER6,
      });
      const before = possibleAt(tables, "prerouting", packet);
      const possible = before.accept ? possibleAt(tables, "input", packet) : before;
      return verdictOf(both(before, possible), family, link);
    }),
  );
}

/** Returns whether a new connection from the internet reaches a published port of a container. */
export function reachOfPublish(
  firewall: FirewallFacts,
  tables: readonly Table[],
  container: Container,
  publish: Publish,
): Verdict {
  const four = paths(firewall).filter(
    ({ family }) => family === (publish.address.includes(":") && publish.address !== "::" ? "ip6" : "ip"),
  );
  const destination = container.addresses.map(parseIp).find((ip) => ip?.family === 4)?.value;
  return worst(
    four.map(({ family, link }) => {
      const protocol = publish.protocol === "udp" ? "udp" : "tcp";
      const arrival = {
        family,
        in: link,
        protocol,
        source: family === "ip" ? STRANGER4 : STRANGER6,
      } as const;
      const before = possibleAt(tables, "prerouting", packetOf({ ...arrival, port: publish.hostPort }));
      if (!before.accept) return verdictOf(before, family, link);
      const forwarded = packetOf({
        ...arrival,
        port: publish.port,
        ...(destination === undefined ? {} : { destination }),
      });
      forwarded.set("original-port", publish.hostPort).set("nat", "dnat").set("destination-type", "unicast");
      return verdictOf(both(before, possibleAt(tables, "forward", forwarded)), family, link);
    }),
  );
}

/** Returns whether a new connection of a program on this host reaches the internet. */
export function reachOutward(firewall: FirewallFacts, tables: readonly Table[]): Verdict {
  return worst(
    paths(firewall).map(({ family, link }) => {
      const packet = packetOf({
        family,
        in: "",
        protocol: "tcp",
        port: 443,
        source: family === "ip" ? 0 : 0n,
      });
      packet.delete("in");
      packet
        .set("out", link)
        .set(family === "ip" ? "destination4" : "destination6", family === "ip" ? STRANGER4 : STRANGER6);
      return verdictOf(possibleAt(tables, "output", packet), family, link);
    }),
  );
}

export function paths(firewall: FirewallFacts): { readonly family: "ip" | "ip6"; readonly link: string }[] {
  const links = firewall.uplinks.length > 0 ? firewall.uplinks : ["eth0"];
  const families = firewall.hasIpv6 ? (["ip", "ip6"] as const) : (["ip"] as const);
  return links.flatMap((link) => families.map((family) => ({ family, link })));
}

function both(first: Possible, second: Possible): Possible {
  return {
    accept: first.accept && second.accept,
    drop: first.drop || second.drop,
    by: first.by ?? second.by,
  };
}

function verdictOf(possible: Possible, family: "ip" | "ip6", link: string): Verdict {
  const path = `${family === "ip" ? "IPv4" : "IPv6"} on ${link}`;
  if (!possible.accept) return { reach: "closed", where: possible.by ?? path };
  return { reach: possible.drop ? "maybe" : "open", where: path };
}

function worst(verdicts: readonly Verdict[]): Verdict {
  const of = (reach: Reach): Verdict | undefined => verdicts.find((verdict) => verdict.reach === reach);
  return of("open") ?? of("maybe") ?? of("closed") ?? { reach: "maybe", where: "no uplink" };
}
