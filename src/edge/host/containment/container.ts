/** The containers of a Docker network, as dockerd describes them. */
import {
  type ContainerFacts,
  type ContainmentFacts,
  known,
  unknown,
} from "../../../core/containment/facts.ts";
import { RUNTIME_SOCKETS } from "../../../core/containment/runtime-socket.ts";
import { type CommandResult, findProgram, run, runSync } from "../command.ts";
import { loopbackResolvers } from "../resolv-conf.ts";

/** LIMIT: time for dockerd to answer, and containers looked at. */
const LIMITS = { deadlineMs: 5_000 };
const CONTAINERS_MAX = 500;

/** Returns what is known of the containers of a network. */
export function containerFacts(network: string): ContainmentFacts {
  try {
    const ids = idsOf(answerOf(runSync(docker(), listWords(network), LIMITS)));
    return ids.length === 0
      ? seen([])
      : seen(describeAll(answerOf(runSync(docker(), inspectWords(ids), LIMITS)), network));
  } catch (cause) {
    return unseen(cause);
  }
}

/** Returns the same without waiting for dockerd, which may be slow or hang. */
export async function findContainerFacts(network: string): Promise<ContainmentFacts> {
  try {
    const ids = idsOf(answerOf(await run(docker(), listWords(network), LIMITS)));
    return ids.length === 0
      ? seen([])
      : seen(describeAll(answerOf(await run(docker(), inspectWords(ids), LIMITS)), network));
  } catch (cause) {
    return unseen(cause);
  }
}

function docker(): string {
  const path = findProgram("docker");
  if (path === undefined) throw new Error("the docker program is not installed");
  return path;
}

/** Stopped ones too: they start without asking us. */
function listWords(network: string): string[] {
  return ["ps", "--all", "--quiet", "--no-trunc", "--filter", `network=${network}`];
}

function inspectWords(ids: readonly string[]): string[] {
  return ["inspect", "--type", "container", ...ids];
}

function idsOf(listed: string): string[] {
  const ids = listed.split("\n").filter((id) => /^[0-9a-f]{12,64}$/.test(id));
  if (ids.length <= CONTAINERS_MAX) return ids;
  throw new Error(`${ids.length} containers, at most ${CONTAINERS_MAX} are looked at`);
}

function answerOf({ status, stdout, stderr }: CommandResult): string {
  if (status !== 0) throw new Error(`dockerd does not answer: ${stderr.split("\n", 1)[0] ?? ""}`);
  return stdout;
}

function describeAll(inspected: string, network: string): ContainerFacts[] {
  const found = JSON.parse(inspected) as readonly Inspected[];
  const resolvers = loopbackResolvers();
  return found.map((one) => describeContainer(one, network, resolvers));
}

function seen(list: readonly ContainerFacts[]): ContainmentFacts {
  return { boundary: "container", containers: known(list) };
}

function unseen(cause: unknown): ContainmentFacts {
  const why = cause instanceof Error ? cause.message : "dockerd does not answer";
  return { boundary: "container", containers: unknown(why) };
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
