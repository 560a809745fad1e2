/** The containers of a Docker network, as dockerd describes them. */
import {
  type ContainerFacts,
  type ContainmentFacts,
  type Fact,
  known,
  unknown,
} from "../../../core/containment/facts.ts";
import { RUNTIME_SOCKETS } from "../../../core/containment/runtime-socket.ts";
import { findProgram, runSync } from "../command.ts";
import { loopbackResolvers } from "../resolv-conf.ts";

/** LIMIT: time for dockerd to answer, and containers looked at. */
const DEADLINE_MS = 5_000;
const CONTAINERS_MAX = 500;

/** Returns what is known of the containers of a network. */
export function containerFacts(network: string): ContainmentFacts {
  return { boundary: "container", containers: containersOf(network) };
}

function containersOf(network: string): Fact<readonly ContainerFacts[]> {
  if (findProgram("docker") === undefined) return unknown("the docker program is not installed");
  try {
    // Stopped ones too: they start without asking us.
    const listed = docker("ps", "--all", "--quiet", "--no-trunc", "--filter", `network=${network}`);
    const ids = listed.split("\n").filter((id) => /^[0-9a-f]{12,64}$/.test(id));
    if (ids.length > CONTAINERS_MAX)
      return unknown(`${ids.length} containers, at most ${CONTAINERS_MAX} are looked at`);
    if (ids.length === 0) return known([]);
    const found = JSON.parse(docker("inspect", "--type", "container", ...ids)) as readonly Inspected[];
    const resolvers = loopbackResolvers();
    return known(found.map((one) => describeContainer(one, network, resolvers)));
  } catch (error) {
    return unknown(error instanceof Error ? error.message : "dockerd does not answer");
  }
}

function docker(...args: readonly string[]): string {
  const { status, stdout, stderr } = runSync("docker", args, { deadlineMs: DEADLINE_MS });
  if (status !== 0) throw new Error(`dockerd does not answer: ${stderr.split("\n", 1)[0] ?? ""}`);
  return stdout;
}

export interface Inspected {
  readonly Id?: string;
  readonly Name: string;
  readonly HostConfig: {
    readonly Privileged?: boolean;
    readonly PidMode?: string;
    readonly IpcMode?: string;
    readonly UTSMode?: string;
    readonly NetworkMode?: string;
    readonly UsernsMode?: string;
    readonly CapAdd?: readonly string[] | null;
    readonly Dns?: readonly string[] | null;
    readonly Devices?: readonly { readonly PathOnHost: string }[] | null;
  };
  readonly Mounts?: readonly { readonly Type: string; readonly Source?: string; readonly RW?: boolean }[];
  readonly NetworkSettings?: { readonly Networks?: Readonly<Record<string, unknown>> | null };
}

/** Returns the facts of one container of `docker inspect`; `resolvers`: those on the loopback of the machine. */
export function describeContainer(
  one: Inspected,
  network: string,
  resolvers: readonly string[],
): ContainerFacts {
  const host = one.HostConfig;
  const modes = { pid: host.PidMode, ipc: host.IpcMode, uts: host.UTSMode, net: host.NetworkMode };
  const mounts = (one.Mounts ?? []).filter(({ Type: type, RW: writes, Source: source }) => {
    // A read-only mount of a socket, or of a folder with one, still connects.
    return (
      type === "bind" &&
      source !== undefined &&
      (writes === true ||
        RUNTIME_SOCKETS.includes(source) ||
        /\.sock(et)?$|^\/(var\/)?run$|^\/$/.test(source))
    );
  });
  return {
    name: one.Name.replace(/^\//, ""),
    privileged: host.Privileged === true,
    shared: Object.entries(modes).flatMap(([name, mode]) => (mode === "host" ? [name] : [])),
    capabilities: (host.CapAdd ?? []).map((name) => name.toLowerCase().replace(/^cap_/, "")),
    mounts: [
      ...mounts.flatMap(({ Source: source }) => source ?? []),
      ...(host.Devices ?? []).map(({ PathOnHost: path }) => path),
    ],
    otherNetworks: Object.keys(one.NetworkSettings?.Networks ?? {}).filter((name) => name !== network),
    // The default network has no embedded resolver; one that was given `--dns` asks from its own address.
    hostResolvers: network === "bridge" || (host.Dns ?? []).length > 0 ? [] : resolvers,
  };
}
