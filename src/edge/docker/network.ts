import { SeawallError } from "../../core/base/error.ts";
import { runSync } from "../host/command.ts";

/** Returns the bridge interface of a Docker network. Refuses one that does not exist or has no bridge. */
export function dockerBridge(network: string): string {
  if (network === "bridge") return "docker0";
  const result = runSync("docker", ["network", "inspect", "--format", "{{json .}}", "--", network], {
    deadlineMs: 15_000,
  });
  const refused = (why: string): SeawallError =>
    new SeawallError("SEAWALL_SCOPE", `docker network \`${network}\`: ${why}`, {
      still: "nothing was changed",
      help: "docker network ls",
    });
  if (result.status !== 0) throw refused("there is no such network, or dockerd does not answer");
  const found = JSON.parse(result.stdout) as {
    readonly Id: string;
    readonly Driver: string;
    readonly Options?: Readonly<Record<string, string>> | null;
  };
  if (found.Driver !== "bridge")
    throw refused(`it is a \`${found.Driver}\` network, which has no bridge to judge at`);
  return found.Options?.["com.docker.network.bridge.name"] ?? `br-${found.Id.slice(0, 12)}`;
}
