import { startAgent } from "./agent-client.ts";
import { type Finished, type RunOptions, runOk, start } from "./command.ts";
import { type Docker, type DockerWanted, startDocker } from "./docker.ts";
import { ENVIRONMENT, type Namespace, startNamespace } from "./namespace.ts";
import { type Ssh, type SshWanted, startSsh } from "./ssh.ts";
import { startStandInSsh } from "./stand-in-ssh.ts";
import { othersTables, seawallTable } from "./tables.ts";
import { type Ufw, startUfw } from "./ufw.ts";
import { type Upstream, startUpstream } from "./upstream.ts";

const SSH_PORT = 22;
export const HOST4 = "203.0.113.10";
export const HOST6 = "2001:db8:1::10";

export type HostWanted = {
  /** ufw rules; ufw is on when this is given. */
  readonly ufw?: readonly string[];
  readonly docker?: DockerWanted;
  readonly sshd?: SshWanted;
};

/** A server as a person would rent it, in namespaces: real ufw, dockerd and sshd, and an internet around it. */
export type Host = {
  readonly pid: number;
  readonly upstream: Upstream;
  readonly run: (argv: readonly string[], options?: RunOptions) => Promise<Finished>;
  /** Runs a POSIX sh script on the host; throws when it fails. */
  readonly shell: (script: string, options?: RunOptions) => Promise<string>;
  /** Starts a long-lived command on the host. It ends with the host. */
  readonly start: (argv: readonly string[], options?: RunOptions) => ReturnType<typeof start>;
  /**
   * Starts an echo service on `port`, on every address of both families unless `address` is given. On 22 it stands
   * for the host's SSH: it is what the kernel knows that by.
   */
  readonly listen: (port: number, address?: string) => Promise<void>;
  readonly othersTables: () => Promise<string>;
  readonly seawallTable: () => Promise<string>;
  readonly ufw: Ufw;
  readonly docker: Docker;
  readonly ssh: Ssh;
  readonly stop: () => Promise<void>;
};

/** Starts a host with what is wanted. Needs root. It ends with `stop`, or with this process, also by kill -9. */
export async function startHost(wanted: HostWanted = {}): Promise<Host> {
  const namespace = await startNamespace();
  try {
    return await furnish(namespace, wanted);
  } catch (error) {
    await namespace.stop();
    throw error;
  }
}

async function furnish(namespace: Namespace, wanted: HostWanted): Promise<Host> {
  const upstream = await startUpstream(namespace, HOST4, HOST6);
  const agent = startAgent(namespace);
  const ufw = wanted.ufw && (await startUfw(namespace, wanted.ufw));
  const docker = wanted.docker && (await startDocker(namespace, wanted.docker));
  const ssh = wanted.sshd && (await startSsh(namespace, upstream, HOST4, wanted.sshd));
  return {
    pid: namespace.pid,
    upstream,
    run: namespace.run,
    shell: (script, options = {}) =>
      runOk(namespace.inside(["sh", "-euc", script]), {
        cwd: "/",
        ...options,
        env: { ...ENVIRONMENT, ...options.env },
      }),
    start: (argv, options = {}) =>
      start(namespace.inside(argv), { cwd: "/", ...options, env: { ...ENVIRONMENT, ...options.env } }),
    listen: async (port, address = "::") =>
      port === SSH_PORT
        ? startStandInSsh(namespace, port)
        : void (await agent.ask({ do: "listen", port, address })),
    othersTables: () => othersTables(namespace),
    seawallTable: () => seawallTable(namespace),
    ufw: ufw ?? missing("ufw"),
    docker: docker ?? missing("docker"),
    ssh: ssh ?? missing("sshd"),
    stop: async () => {
      await namespace.stop();
      await docker?.clean();
    },
  };
}

/** Stands for a part that was not asked for: using it is a mistake of the test, and says so. */
function missing(name: string): never {
  const refuse = () => {
    throw new Error(`this host was started without ${name}`);
  };
  return new Proxy({}, { get: refuse }) as never;
}
