/** Network namespaces of a gate benchmark and the cables between them. Addresses look public: gates refuse others. */
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../command.ts";

/** One end of a cable; `namespace` is null where the benchmark itself runs. */
export interface CableEnd {
  readonly namespace: string | null;
  readonly device: string;
  /** With its prefix length. */
  readonly address: string;
}

/** The uid that asks and fetches: the agent of Seawall's policies. Nobody's on any machine that is measured. */
export const AGENT_UID = 64_242;

/** Many short connections to one port: more source ports than by default, none of a server's. */
const SYSCTLS = [
  "net.ipv4.ip_local_port_range=20000 65000",
  "net.ipv4.tcp_tw_reuse=1",
  "net.core.somaxconn=8192",
  "net.ipv4.tcp_max_syn_backlog=8192",
];

/** Makes an empty namespace whose resolver is `resolver`. */
export function makeNamespace(name: string, resolver?: string): void {
  run(["ip", "netns", "add", name]);
  run(["ip", "-n", name, "link", "set", "lo", "up"]);
  if (resolver === undefined) return;
  // ip-netns(8): shown to its programs as /etc/resolv.conf.
  const folder = join("/etc/netns", name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "resolv.conf"), `nameserver ${resolver}\n`);
  // The file that it is laid over must be there.
  appendFileSync("/etc/resolv.conf", "");
}

/** Lays a cable between two namespaces and gives its ends their addresses. */
export function connectEnds(one: CableEnd, other: CableEnd): void {
  run(["ip", "link", "add", one.device, "type", "veth", "peer", "name", other.device]);
  for (const { namespace, device, address } of [one, other]) {
    if (namespace !== null) run(["ip", "link", "set", device, "netns", namespace]);
    const ip = namespace === null ? ["ip"] : ["ip", "-n", namespace];
    run([...ip, "addr", "add", address, "dev", device]);
    run([...ip, "link", "set", device, "up"]);
    run(within(namespace, ["sysctl", "-qw", ...SYSCTLS]));
  }
}

/** Returns the command as it runs in a namespace. */
export function within(namespace: string | null, argv: readonly string[]): readonly string[] {
  return namespace === null ? argv : ["ip", "netns", "exec", namespace, ...argv];
}

/** Returns the command as the agent's uid runs it; it may read the checkout and the tools wherever they are. */
export function asAgent(argv: readonly string[]): readonly string[] {
  const read = "+dac_read_search";
  const user = [`--reuid=${AGENT_UID}`, `--regid=${AGENT_UID}`, "--clear-groups"];
  return ["setpriv", ...user, `--inh-caps=${read}`, `--ambient-caps=${read}`, ...argv];
}
