import { POWERFUL_CAPABILITIES } from "./baseline.ts";
import type { ContainerFacts, Fact, Reason } from "./facts.ts";
import { evidenceOf, judge } from "./reason.ts";
import { RUNTIME_SOCKETS } from "./runtime-socket.ts";

/** These reach no further than the container's own network, which is judged outside of it. */
const NETWORK_CAPABILITIES: ReadonlySet<string> = new Set(["net_admin", "net_raw"]);

/** Folders of the machine by which a container becomes its root, with everything below and above them. */
const MACHINE_FOLDERS = [
  "/etc",
  "/root",
  "/usr",
  "/bin",
  "/sbin",
  "/lib",
  "/boot",
  "/dev",
  "/proc",
  "/sys",
  "/home",
];
const MACHINE_STATE = [
  "/var/lib/docker",
  "/var/lib/containerd",
  "/var/spool/cron",
  "/var/lib/seawall",
  "/run/systemd",
];
/** Wherever else they listen, and the folder where they do. */
const RUNTIME_SOCKET =
  /(^|\/)(docker|podman|crio|containerd|buildkitd|incus|lxd)[^/]*\.sock$|\/unix\.socket$|^\/(var\/)?run$/;

/** Returns how the containers of a scope's network send past its bridge, or become the machine's root. */
export function containerReasons(containers: Fact<readonly ContainerFacts[]>): readonly Reason[] {
  return judge(
    containers,
    "containers",
    "which containers are in it",
    (list) => list.flatMap(reasonsOf),
    "start dockerd, then run the command again",
  );
}

function reasonsOf(one: ContainerFacts): readonly Reason[] {
  const able = one.capabilities.filter(
    (name) => name === "all" || (POWERFUL_CAPABILITIES.has(name) && !NETWORK_CAPABILITIES.has(name)),
  );
  const mounts = one.mounts.filter(isMachines);
  const container = `container ${evidenceOf([one.name])}`;
  const reason = (
    id: string,
    sentence: string,
    pieces: readonly string[],
    cure: string,
  ): readonly Reason[] =>
    pieces.length === 0
      ? []
      : [{ id, sentence: `${container} ${sentence}`, evidence: evidenceOf(pieces), cure, effect: "escapes" }];
  return [
    ...reason(
      "privileged",
      "is privileged",
      one.privileged ? ["Privileged"] : [],
      "run it without --privileged",
    ),
    ...reason("shared-namespace", "shares namespaces with the machine", one.shared, "give it its own"),
    ...reason(
      "container-capability",
      "has capabilities that lead out of it",
      able,
      "run it without --cap-add",
    ),
    ...reason(
      "container-mount",
      "can change the machine itself",
      mounts,
      "take the mount away, or make it read-only",
    ),
    ...reason(
      "container-network",
      "is in another network too, which the scope does not judge",
      one.otherNetworks,
      "docker network disconnect NETWORK CONTAINER, or name that network in a scope too",
    ),
    ...reason(
      "container-resolver",
      "resolves through dockerd, which asks the resolver of this host",
      one.hostResolvers,
      "run it with --dns and the address of its network's bridge (compose: `dns:`)",
    ),
  ];
}

function isRuntimeSocket(path: string): boolean {
  return RUNTIME_SOCKETS.includes(path) || RUNTIME_SOCKET.test(path);
}

function isMachines(path: string): boolean {
  if (path === "/" || path === "/var" || isRuntimeSocket(path)) return true;
  // A folder of somebody's home is the container's own business; all homes are not.
  if (path.startsWith("/home/")) return /\/\.ssh(\/|$)/.test(path);
  const isHarmless = path === "/etc/localtime" || path === "/etc/timezone" || path.startsWith("/dev/net/tun");
  return (
    !isHarmless &&
    [...MACHINE_FOLDERS, ...MACHINE_STATE].some((one) => path === one || path.startsWith(`${one}/`))
  );
}
