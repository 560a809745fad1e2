import { EVERY_PORT, parsePortRange } from "../../net/port-range.ts";
import { SERVICE_NAMES, serviceNamed } from "../../net/service.ts";
import type { RuleAction, Service } from "../document.ts";
import { didYouMean } from "./closest.ts";
import { type Node, shown } from "./node.ts";
import { portHelp } from "./port.ts";
import { ANY } from "./vocabulary.ts";
import { fail, oneOrMore, termText, type Walk } from "./walk.ts";

const EXPECTED = "a service must be a name such as ssh, a port, a range, `tcp/8082`, `udp/53` or `any`";

/**
 * Returns the services of an inbound `allow` or `deny`. A bare port or range is TCP where it allows and
 * both protocols where it denies: the stricter reading of each.
 */
export function readServices(walk: Walk, node: Node, action: RuleAction): Service[] {
  const services: Service[] = [];
  for (const item of oneOrMore(walk, node, `\`${action}\``)) {
    const text = termText(walk, item, EXPECTED);
    if (text === null) continue;
    const service = parseService(text, action);
    if (service !== undefined) services.push(service);
    else fail(walk, "service", item.span, `${shown(text)} is not a service`, serviceHelp(text));
  }
  return services;
}

/** Returns the service that `text` spells, or undefined. */
export function parseService(text: string, action: RuleAction): Service | undefined {
  if (text === ANY) return { protocol: "every", ports: EVERY_PORT };
  const named = serviceNamed(text);
  if (named !== undefined) return named;
  const slash = text.indexOf("/");
  const protocol = slash < 0 ? "" : text.slice(0, slash);
  const ports = parsePortRange(text.slice(slash + 1));
  if (ports === undefined) return undefined;
  if (slash < 0) return { protocol: action === "allow" ? "tcp" : "both", ports };
  return protocol === "tcp" || protocol === "udp" ? { protocol, ports } : undefined;
}

function serviceHelp(text: string): string {
  const swapped = /^([0-9-]+)\/(tcp|udp)$/i.exec(text);
  if (swapped !== null) return `write the protocol first: \`${swapped[2]?.toLowerCase()}/${swapped[1]}\``;
  const lower = text.toLowerCase();
  if (lower !== text && parseService(lower, "allow") !== undefined)
    return `write it in lower case: \`${lower}\``;
  const spaced = text.replaceAll(/\s+/g, "");
  if (spaced !== text && parseService(spaced, "allow") !== undefined)
    return `write it without spaces: \`${spaced}\``;
  const near = /^[a-z]/i.test(text) ? didYouMean(text, [...SERVICE_NAMES, ANY]) : null;
  if (near !== null) return near;
  const port = portHelp(text.replace(/^(?:tcp|udp)\//, ""));
  return (
    port ?? "write a service name such as ssh, a port 1-65535, a range 8000-8080, tcp/8082, udp/53 or any"
  );
}
