/** Docker networks as the rules need them: their bridge, and what containers in them resolve with. */
import { SeawallError } from "../../core/base/error.ts";
import { type CommandResult, run, runSync } from "../host/command.ts";

/** LIMIT: time for dockerd to answer somebody who waits, and something that goes on beside it. */
const DOCKER_DEADLINE_MS = 15_000;
const BESIDE_DEADLINE_MS = 5_000;
const DEFAULT = "bridge";
const DEFAULT_BRIDGE = "docker0";

interface InspectedNetwork {
  readonly Id: string;
  readonly Driver: string;
  readonly Options?: Readonly<Record<string, string>> | null;
  readonly Containers?: Readonly<Record<string, { readonly Name: string }>> | null;
}

/** Returns the bridge interface of a Docker network. Refuses one that does not exist or has no bridge. */
export function dockerBridge(network: string): string {
  return network === DEFAULT ? DEFAULT_BRIDGE : bridgeOf(network, inspectNetwork(network));
}

export type FoundBridge =
  | { readonly kind: "bridge"; readonly name: string }
  /** There is none, as dockerd says. */
  | { readonly kind: "none"; readonly why: string }
  /** Dockerd does not say. */
  | { readonly kind: "silent"; readonly why: string };

/** Looks for the bridge interface of a Docker network without waiting for dockerd, which may be slow or hang. */
export async function findDockerBridge(network: string): Promise<FoundBridge> {
  if (network === DEFAULT) return { kind: "bridge", name: DEFAULT_BRIDGE };
  try {
    const result = await run("docker", inspectWords(network), { deadlineMs: BESIDE_DEADLINE_MS });
    if (result.status !== 0 && !isAbsent(result)) return { kind: "silent", why: noAnswer(network, result) };
    return { kind: "bridge", name: bridgeOf(network, inspected(network, result)) };
  } catch (cause) {
    if (!(cause instanceof SeawallError)) throw cause;
    return { kind: cause.code === "SEAWALL_SCOPE" ? "none" : "silent", why: cause.message };
  }
}

/**
 * Returns the names of running containers of a network whose embedded resolver asks what dockerd asks: nobody
 * named a DNS server for them. The default network has no embedded resolver, and so none of them.
 */
export function containersWithoutDns(network: string): string[] {
  if (network === DEFAULT) return [];
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
 * Returns the addresses of containers in all their networks, none for one that is not there or not running. What
 * dockerd does not say is left out; once it hangs, it is not asked about the rest.
 */
export async function containerAddresses(
  containers: Iterable<string>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const format = "{{range .NetworkSettings.Networks}}{{println .IPAddress .GlobalIPv6Address}}{{end}}";
  const found = new Map<string, readonly string[]>();
  for (const container of containers) {
    try {
      const words = ["inspect", "--format", format, "--", container];
      const result = await run("docker", words, { deadlineMs: BESIDE_DEADLINE_MS });
      if (result.status === 0)
        found.set(
          container,
          result.stdout.split(/\s+/).filter((text) => text !== ""),
        );
      else if (isAbsent(result)) found.set(container, []);
    } catch {
      return found;
    }
  }
  return found;
}

function bridgeOf(network: string, { Id, Driver, Options }: InspectedNetwork): string {
  if (Driver !== "bridge")
    throw refused(network, `it is a \`${Driver}\` network, which has no bridge to judge at`);
  return Options?.["com.docker.network.bridge.name"] ?? `br-${Id.slice(0, 12)}`;
}

function inspectNetwork(network: string): InspectedNetwork {
  return inspected(network, runSync("docker", inspectWords(network), { deadlineMs: DOCKER_DEADLINE_MS }));
}

function inspectWords(network: string): string[] {
  return ["network", "inspect", "--format", "{{json .}}", "--", network];
}

function inspected(network: string, { status, stdout }: CommandResult): InspectedNetwork {
  if (status !== 0) throw refused(network, "there is no such network, or dockerd does not answer");
  return JSON.parse(stdout) as InspectedNetwork;
}

function isAbsent({ stderr }: CommandResult): boolean {
  return /no such|not found/i.test(stderr);
}

function noAnswer(network: string, { stderr }: CommandResult): string {
  return `docker network \`${network}\`: dockerd does not answer: ${stderr.split("\n", 1)[0] ?? ""}`;
}

function refused(network: string, why: string): SeawallError {
  return new SeawallError("SEAWALL_SCOPE", `docker network \`${network}\`: ${why}`, {
    still: "nothing was changed",
    help: "docker network ls",
  });
}
