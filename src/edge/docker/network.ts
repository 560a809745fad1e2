/** Docker networks as the rules need them: their bridge, and what containers in them resolve with. */
import { SeawallError } from "../../core/base/error.ts";
import { runSync } from "../host/command.ts";

const DOCKER_DEADLINE_MS = 15_000;

interface InspectedNetwork {
  readonly Id: string;
  readonly Driver: string;
  readonly Options?: Readonly<Record<string, string>> | null;
  readonly Containers?: Readonly<Record<string, { readonly Name: string }>> | null;
}

/** Returns the bridge interface of a Docker network. Refuses one that does not exist or has no bridge. */
export function dockerBridge(network: string): string {
  if (network === "bridge") return "docker0";
  const found = inspectNetwork(network);
  if (found.Driver !== "bridge")
    throw refused(network, `it is a \`${found.Driver}\` network, which has no bridge to judge at`);
  return found.Options?.["com.docker.network.bridge.name"] ?? `br-${found.Id.slice(0, 12)}`;
}

/**
 * Returns the names of running containers of a network whose embedded resolver asks what dockerd asks: nobody
 * named a DNS server for them. The default network has no embedded resolver, and so none of them.
 */
export function containersWithoutDns(network: string): string[] {
  if (network === "bridge") return [];
  const ids = Object.keys(inspectNetwork(network).Containers ?? {});
  if (ids.length === 0) return [];
  const result = runSync("docker", ["inspect", "--", ...ids], { deadlineMs: DOCKER_DEADLINE_MS });
  if (result.status !== 0) return [];
  const containers = JSON.parse(result.stdout) as readonly {
    readonly Name: string;
    readonly HostConfig?: { readonly Dns?: readonly string[] | null };
  }[];
  return containers
    .filter(({ HostConfig }) => (HostConfig?.Dns ?? []).length === 0)
    .map(({ Name }) => Name.replace(/^\//, ""));
}

/**
 * Returns the addresses of a container in all its networks, none when it is not there or not running; null when
 * dockerd does not say.
 */
export function containerAddresses(container: string): string[] | null {
  const format = "{{range .NetworkSettings.Networks}}{{println .IPAddress .GlobalIPv6Address}}{{end}}";
  try {
    const { status, stdout, stderr } = runSync("docker", ["inspect", "--format", format, "--", container], {
      deadlineMs: DOCKER_DEADLINE_MS,
    });
    if (status === 0) return stdout.split(/\s+/).filter((text) => text !== "");
    return /no such/i.test(stderr) ? [] : null;
  } catch {
    return null;
  }
}

function inspectNetwork(network: string): InspectedNetwork {
  const result = runSync("docker", ["network", "inspect", "--format", "{{json .}}", "--", network], {
    deadlineMs: DOCKER_DEADLINE_MS,
  });
  if (result.status !== 0) throw refused(network, "there is no such network, or dockerd does not answer");
  return JSON.parse(result.stdout) as InspectedNetwork;
}

function refused(network: string, why: string): SeawallError {
  return new SeawallError("SEAWALL_SCOPE", `docker network \`${network}\`: ${why}`, {
    still: "nothing was changed",
    help: "docker network ls",
  });
}
