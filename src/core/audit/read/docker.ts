/** Docker's JSON about one container and its image (Docker Engine API, /containers/ID/json, /images/ID/json). */
import type { Container, Publish } from "../fact/docker.ts";
import { secretOfSetting } from "./secret-rule.ts";

export interface ContainerJson {
  readonly Id?: string;
  readonly Name?: string;
  readonly Image?: string;
  readonly State?: { readonly Pid?: number };
  readonly Config?: {
    readonly Image?: string;
    readonly User?: string;
    readonly Env?: readonly string[] | null;
    readonly Labels?: Readonly<Record<string, string>> | null;
    readonly Cmd?: readonly string[] | null;
  };
  readonly HostConfig?: {
    readonly Privileged?: boolean;
    readonly CapAdd?: readonly string[] | null;
    readonly CapDrop?: readonly string[] | null;
    readonly SecurityOpt?: readonly string[] | null;
    readonly NetworkMode?: string;
    readonly PidMode?: string;
    readonly IpcMode?: string;
    readonly UTSMode?: string;
    readonly UsernsMode?: string;
    readonly ReadonlyRootfs?: boolean;
    readonly PidsLimit?: number | null;
    readonly Memory?: number;
    readonly NanoCpus?: number;
    readonly CpuQuota?: number;
    readonly LogConfig?: {
      readonly Type?: string;
      readonly Config?: Readonly<Record<string, string>> | null;
    };
  };
  readonly Mounts?:
    | readonly { readonly Source?: string; readonly Destination?: string; readonly RW?: boolean }[]
    | null;
  readonly NetworkSettings?: {
    readonly Ports?: Readonly<
      Record<string, readonly { readonly HostIp?: string; readonly HostPort?: string }[] | null>
    > | null;
    readonly Networks?: Readonly<
      Record<string, { readonly IPAddress?: string; readonly GlobalIPv6Address?: string }>
    > | null;
  };
}

export interface ImageJson {
  readonly Created?: string;
  readonly Config?: { readonly Env?: readonly string[] | null };
}

const AGENT = /(^|[/_-])(openclaw|clawdbot|moltbot)\b/i;
const SANDBOX = /^openclaw-(sbx|sandbox)/;
/** Log drivers that keep no file which could fill the disk, or turn it over by themselves. */
const BOUNDED_LOGS = new Set([
  "local",
  "journald",
  "syslog",
  "none",
  "fluentd",
  "gelf",
  "awslogs",
  "gcplogs",
]);

/** Returns the container without what only the kernel knows. */
export function containerOf(json: ContainerJson, image: ImageJson | null): Omit<Container, "process"> {
  const host = json.HostConfig ?? {};
  const name = (json.Name ?? "").replace(/^\//, "");
  const reference = json.Config?.Image ?? "";
  const labels = Object.entries(json.Config?.Labels ?? {});
  const created = Date.parse(image?.Created ?? "");
  return {
    id: (json.Id ?? "").slice(0, 12),
    name,
    image: reference,
    agent: AGENT.test(reference) || AGENT.test(name) || labels.some(([key]) => key.startsWith("openclaw")),
    sandbox: SANDBOX.test(name) || labels.some(([key]) => key === "openclaw.sandbox"),
    pid: json.State?.Pid ?? 0,
    user: json.Config?.User ?? "",
    privileged: host.Privileged === true,
    capAdd: host.CapAdd ?? [],
    capDrop: host.CapDrop ?? [],
    securityOptions: host.SecurityOpt ?? [],
    mounts: (json.Mounts ?? []).map(({ Source = "", Destination = "", RW = true }) => ({
      source: Source,
      target: Destination,
      writable: RW,
    })),
    networkMode: host.NetworkMode ?? "",
    namespaces: {
      pid: host.PidMode ?? "",
      ipc: host.IpcMode ?? "",
      uts: host.UTSMode ?? "",
      userns: host.UsernsMode ?? "",
    },
    readOnly: host.ReadonlyRootfs === true,
    limits: {
      pids: Math.max(0, host.PidsLimit ?? 0),
      memoryBytes: host.Memory ?? 0,
      nanoCpus: (host.NanoCpus ?? 0) || Math.max(0, host.CpuQuota ?? 0) * 10_000,
    },
    logMaxSize: BOUNDED_LOGS.has(host.LogConfig?.Type ?? "")
      ? (host.LogConfig?.Type ?? null)
      : (host.LogConfig?.Config?.["max-size"] ?? null),
    published: publishesOf(json),
    addresses: Object.values(json.NetworkSettings?.Networks ?? {})
      .flatMap(({ IPAddress = "", GlobalIPv6Address = "" }) => [IPAddress, GlobalIPv6Address])
      .filter((address) => address !== ""),
    digestPinned: reference.includes("@sha256:"),
    imageCreatedMs: Number.isNaN(created) ? null : created,
    secretEnv: secretNames([...(json.Config?.Env ?? []), ...(image?.Config?.Env ?? [])]),
  };
}

function publishesOf(json: ContainerJson): Publish[] {
  return Object.entries(json.NetworkSettings?.Ports ?? {}).flatMap(([key, bindings]) => {
    const [port = "", protocol = "tcp"] = key.split("/");
    return (bindings ?? []).map(({ HostIp = "", HostPort = "" }) => ({
      address: HostIp,
      hostPort: Number(HostPort),
      port: Number(port),
      protocol,
    }));
  });
}

function secretNames(entries: readonly string[]): string[] {
  const names = entries.flatMap((entry) => {
    const at = entry.indexOf("=");
    const name = entry.slice(0, at);
    return at > 0 && secretOfSetting(name, entry.slice(at + 1)) !== null ? [name] : [];
  });
  return [...new Set(names)];
}
