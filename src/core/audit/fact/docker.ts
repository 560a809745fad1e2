import type { Reading } from "../reading.ts";
import type { FileState } from "./file.ts";

export interface Publish {
  readonly address: string;
  readonly hostPort: number;
  readonly port: number;
  readonly protocol: string;
}

/** A running container: what Docker was told, and what its first process really is (proc(5) status). */
export interface Container {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  /** Whether it is OpenClaw: by image, name or label. */
  readonly agent: boolean;
  /** A sandbox that OpenClaw made. */
  readonly sandbox: boolean;
  readonly pid: number;
  readonly user: string;
  readonly privileged: boolean;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly securityOptions: readonly string[];
  readonly mounts: readonly {
    readonly source: string;
    readonly target: string;
    readonly writable: boolean;
  }[];
  readonly networkMode: string;
  readonly namespaces: Readonly<Record<"pid" | "ipc" | "uts" | "userns", string>>;
  readonly readOnly: boolean;
  readonly limits: { readonly pids: number; readonly memoryBytes: number; readonly nanoCpus: number };
  readonly logMaxSize: string | null;
  readonly published: readonly Publish[];
  /** Its addresses on bridges. */
  readonly addresses: readonly string[];
  readonly digestPinned: boolean;
  readonly imageCreatedMs: number | null;
  /** Names of environment variables whose value looks like a secret. Never the value. */
  readonly secretEnv: readonly string[];
  /** What the kernel says about its first process. */
  readonly process: Reading<ContainerProcess>;
}

export interface ContainerProcess {
  /** Effective user, as this host numbers it. */
  readonly uid: number;
  /** Capabilities that it could ever have (CapBnd), and has (CapEff). */
  readonly capBounding: bigint;
  readonly capEffective: bigint;
  readonly noNewPrivileges: boolean;
  readonly seccomp: number;
  readonly appArmor: string | null;
}

export interface DockerFacts {
  readonly version: string;
  readonly firewallBackend: string | null;
  readonly containers: readonly Container[];
  readonly socket: Reading<FileState>;
  readonly dockerGid: number | null;
  readonly rootless: boolean;
  readonly usernsRemap: boolean;
  readonly liveRestore: boolean;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly appArmorOnHost: boolean;
  /** Sockets on which dockerd takes TCP. */
  readonly tcp: readonly string[];
}
