import { SeawallError } from "../../core/base/error.ts";
import { runSync } from "../host/command.ts";

interface Link {
  readonly ifname: string;
  readonly ifindex: number;
  readonly link_index?: number;
}

/**
 * Returns the interfaces of this namespace that lead into the named one (ip-netns(8)): the near ends of its
 * veth pairs. Refuses a namespace that does not exist or that nothing leads into.
 */
export function interfacesOfNamespace(name: string): string[] {
  const inside = runSync("ip", ["-n", name, "-j", "link"]);
  if (inside.status !== 0) throw refused(name, "there is no such namespace");
  const far = new Set(
    (JSON.parse(inside.stdout) as readonly Link[]).map((link) => `${link.ifindex}-${link.link_index}`),
  );
  const near = JSON.parse(runSync("ip", ["-j", "link"]).stdout) as readonly Link[];
  const found = near
    .filter((link) => far.has(`${link.link_index}-${link.ifindex}`))
    .map((link) => link.ifname);
  if (found.length === 0) throw refused(name, "no interface of this machine leads into it");
  return found;
}

function refused(name: string, why: string): SeawallError {
  return new SeawallError("SEAWALL_SCOPE", `namespace \`${name}\`: ${why}`, {
    still: "nothing was changed",
    help: "ip netns list",
  });
}
