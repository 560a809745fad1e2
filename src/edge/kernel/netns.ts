import { SeawallError } from "../../core/base/error.ts";
import { runSync } from "../host/command.ts";

interface Link {
  readonly ifname: string;
  /** How this namespace numbers the one that the other end is in. */
  readonly link_netnsid?: number;
}

interface Netns {
  readonly name: string;
  readonly id?: number;
}

/**
 * Returns the interfaces of this namespace that lead into the named one (ip-netns(8)): the near ends of its
 * veth pairs. Refuses a namespace that does not exist or that nothing leads into.
 *
 * SECURITY: it is never entered, which would need CAP_SYS_ADMIN: the kernel says of both the same number.
 */
export function interfacesOfNamespace(name: string): string[] {
  // In this order: the kernel numbers a namespace when an interface that leads into it is listed.
  const near = listed(["link", "show", "type", "veth"]) as readonly Link[];
  const known = (listed(["netns", "list"]) as readonly Netns[]).find((one) => one.name === name);
  if (known === undefined) throw refused(name, "there is no such namespace");
  const { id } = known;
  const found = near
    .filter((link) => id !== undefined && link.link_netnsid === id)
    .map(({ ifname }) => ifname);
  if (found.length === 0) throw refused(name, "no interface of this machine leads into it");
  return found;
}

/** Returns the same, and nothing for a namespace that is gone: who is in others is not to wait for it. */
export function interfacesIfThere(name: string): readonly string[] {
  try {
    return interfacesOfNamespace(name);
  } catch (cause) {
    if (cause instanceof SeawallError) return [];
    throw cause;
  }
}

function listed(words: readonly string[]): unknown {
  const { status, stdout } = runSync("ip", ["-j", ...words]);
  return status === 0 && stdout.trim() !== "" ? (JSON.parse(stdout) as unknown) : [];
}

function refused(name: string, why: string): SeawallError {
  return new SeawallError("SEAWALL_SCOPE", `namespace \`${name}\`: ${why}`, {
    still: "nothing was changed",
    help: "ip netns list",
  });
}
