import { findProgram, runSync } from "../host/command.ts";

const DEADLINE_MS = 15_000;

export interface ContainerNetwork {
  readonly network: string | null;
  readonly isHostNetwork: boolean;
}

const UNKNOWN: ContainerNetwork = { network: null, isHostNetwork: false };

/** Returns the network of a Docker container by its id; unknown where Docker does not answer. */
export function dockerNetwork({
  runtime,
  id,
}: {
  readonly runtime: string;
  readonly id: string;
}): ContainerNetwork {
  if (runtime === "podman" || findProgram("docker") === undefined || !/^[0-9a-f]{64}$/.test(id))
    return UNKNOWN;
  try {
    const result = runSync(
      "docker",
      ["inspect", "--format", "{{json .NetworkSettings.Networks}}", "--", id],
      {
        deadlineMs: DEADLINE_MS,
      },
    );
    if (result.status !== 0) return UNKNOWN;
    const [network, ...others] = Object.keys((JSON.parse(result.stdout) ?? {}) as object);
    if (network === undefined || others.length > 0) return UNKNOWN;
    return network === "host" ? { network: null, isHostNetwork: true } : { network, isHostNetwork: false };
  } catch {
    return UNKNOWN;
  }
}
