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
  return { ...identityOf(json, image), ...rightsOf(json), ...networkOf(json) };
}

type Identity = Pick<
  Container,
  | "id"
  | "name"
  | "image"
  | "agent"
  | "sandbox"
  | "pid"
  | "user"
  | "digestPinned"
  | "imageCreatedMs"
  | "secretEnv"
>;

function identityOf(json: ContainerJson, image: ImageJson | null): Identity {
  const name = (json.Name ?? "").replace(/^\//, "");
  const config = json.Config ?? {};
  const reference = config.Image ?? "";
  return {
    id: (json.Id ?? "").slice(0, 12),
    name,
    image: reference,
    ...kindOf(name, reference, Object.keys(config.Labels ?? {})),
    pid: json.State?.Pid ?? 0,
    user: config.User ?? "",
    digestPinned: reference.includes("@sha256:"),
    imageCreatedMs: timeOf(image?.Created),
    secretEnv: secretNames([...(config.Env ?? []), ...(image?.Config?.Env ?? [])]),
  };
}

function timeOf(text = ""): number | null {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}

function kindOf(
  name: string,
  reference: string,
  labels: readonly string[],
): Pick<Container, "agent" | "sandbox"> {
  return {
    agent: AGENT.test(reference) || AGENT.test(name) || labels.some((key) => key.startsWith("openclaw")),
    sandbox: SANDBOX.test(name) || labels.includes("openclaw.sandbox"),
  };
}

type Rights = Pick<
  Container,
  "privileged" | "capAdd" | "capDrop" | "securityOptions" | "mounts" | "readOnly" | "limits" | "logMaxSize"
>;

function rightsOf({ HostConfig: host = {}, Mounts }: ContainerJson): Rights {
  return {
    privileged: host.Privileged === true,
    capAdd: host.CapAdd ?? [],
    capDrop: host.CapDrop ?? [],
    securityOptions: host.SecurityOpt ?? [],
    mounts: (Mounts ?? []).map(({ Source = "", Destination = "", RW = true }) => ({
      source: Source,
      target: Destination,
      writable: RW,
    })),
    readOnly: host.ReadonlyRootfs === true,
    limits: limitsOf(host),
    logMaxSize: logLimitOf(host),
  };
}

type Host = NonNullable<ContainerJson["HostConfig"]>;

function limitsOf({ PidsLimit, Memory = 0, NanoCpus = 0, CpuQuota = 0 }: Host): Container["limits"] {
  return {
    pids: Math.max(0, PidsLimit ?? 0),
    memoryBytes: Memory,
    // A quota is in microseconds of a period that is 100 ms unless somebody changed it.
    nanoCpus: NanoCpus === 0 ? Math.max(0, CpuQuota) * 10_000 : NanoCpus,
  };
}

function logLimitOf({ LogConfig: log = {} }: Host): string | null {
  const driver = log.Type ?? "";
  return BOUNDED_LOGS.has(driver) ? driver : (log.Config?.["max-size"] ?? null);
}

function networkOf(
  json: ContainerJson,
): Pick<Container, "networkMode" | "namespaces" | "published" | "addresses"> {
  const {
    NetworkMode = "",
    PidMode = "",
    IpcMode = "",
    UTSMode = "",
    UsernsMode = "",
  } = json.HostConfig ?? {};
  const networks = Object.values(json.NetworkSettings?.Networks ?? {});
  return {
    networkMode: NetworkMode,
    namespaces: { pid: PidMode, ipc: IpcMode, uts: UTSMode, userns: UsernsMode },
    published: publishesOf(json),
    addresses: networks
      .flatMap(({ IPAddress = "", GlobalIPv6Address = "" }) => [IPAddress, GlobalIPv6Address])
      .filter((address) => address !== ""),
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
