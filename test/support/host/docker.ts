import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { runOk, start } from "./command.ts";
import { ENVIRONMENT, type Namespace } from "./namespace.ts";
import { startReaper } from "./reaper.ts";

const START_DEADLINE_MS = 30_000;
const CALL_DEADLINE_MS = 20_000;
const SOCKET = "/run/docker.sock";
const IMAGE = "tiny";

export type Published = { readonly hostPort: number; readonly port: number; readonly hostAddress?: string };
export type ContainerWanted = { readonly name: string; readonly publish: readonly Published[] };
export type DockerWanted = { readonly containers: readonly ContainerWanted[]; readonly ipv6?: boolean };

export type Docker = {
  /** Stops dockerd and starts it again; containers come back by their restart policy. */
  readonly restartDaemon: () => Promise<void>;
  readonly restartContainer: (name: string) => Promise<void>;
  readonly startContainer: (wanted: ContainerWanted) => Promise<void>;
  readonly address: (name: string) => Promise<string>;
  /** Ends the namespace's cgroups; call after the namespace ended. */
  readonly clean: () => Promise<void>;
};

/** Starts the real dockerd in the namespace, all its state in memory, and the containers (each a small web server). */
export async function startDocker(namespace: Namespace, wanted: DockerWanted): Promise<Docker> {
  const cgroup = `seawall-fixture-${namespace.pid}`;
  const reaper = startReaper(cgroup);
  let daemon = await startDaemon(namespace, cgroup, wanted.ipv6 ?? false);
  await importImage(namespace);
  const docker: Docker = {
    restartDaemon: async () => {
      await stopDaemon(namespace, daemon);
      daemon = await startDaemon(namespace, cgroup, wanted.ipv6 ?? false);
    },
    restartContainer: async (name) => void (await call(namespace, "POST", `/containers/${name}/restart?t=0`)),
    startContainer: (container) => startContainer(namespace, container),
    address: async (name) => {
      const text = await call(namespace, "GET", `/containers/${name}/json`);
      return (JSON.parse(text) as { NetworkSettings: { IPAddress: string } }).NetworkSettings.IPAddress;
    },
    clean: reaper.finish,
  };
  for (const container of wanted.containers) await docker.startContainer(container);
  return docker;
}

async function startDaemon(namespace: Namespace, cgroup: string, ipv6: boolean): Promise<ChildProcess> {
  const where = [
    "--data-root",
    "/run/docker-data",
    "--exec-root",
    "/run/docker-exec",
    "-H",
    `unix://${SOCKET}`,
  ];
  const six = ipv6 ? ["--ipv6", "--fixed-cidr-v6", "2001:db8:d0c::/64", "--ip6tables", "--experimental"] : [];
  const how = [
    "--pidfile",
    "/run/docker.pid",
    "--cgroup-parent",
    `/${cgroup}`,
    "--storage-driver",
    "overlay2",
  ];
  const daemon = start(namespace.inside(["dockerd", ...where, ...how, ...six]), {
    env: ENVIRONMENT,
    cwd: "/",
  });
  let said = "";
  const hear = (text: string) => {
    said = (said + text).slice(-20_000);
  };
  daemon.stdin?.end();
  daemon.stdout?.setEncoding("utf8").on("data", hear);
  daemon.stderr?.setEncoding("utf8").on("data", hear);
  const limit = Date.now() + START_DEADLINE_MS;
  for (;;) {
    const up = await call(namespace, "GET", "/_ping").catch(() => "");
    if (up === "OK") return daemon;
    if (daemon.exitCode !== null || Date.now() > limit) throw new Error(`dockerd did not start:\n${said}`);
    await sleep(50);
  }
}

async function stopDaemon(namespace: Namespace, daemon: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => daemon.once("close", resolve));
  await runOk(namespace.inside(["sh", "-euc", "kill -TERM $(cat /run/docker.pid)"]), { env: ENVIRONMENT });
  await ended;
}

/** A one-file image; busybox is static, so it needs nothing else. */
async function importImage(namespace: Namespace): Promise<void> {
  const make = `r=/run/tiny; mkdir -p $r/bin $r/www; cp "$(command -v busybox)" $r/bin/busybox
echo hello >$r/www/index.html; tar -C $r -cf /run/tiny.tar .`;
  await runOk(namespace.inside(["sh", "-euc", make]), { env: ENVIRONMENT });
  const tar = readFileSync(`/proc/${namespace.pid}/root/run/tiny.tar`);
  await call(namespace, "POST", `/images/create?fromSrc=-&repo=${IMAGE}`, tar);
}

async function startContainer(namespace: Namespace, wanted: ContainerWanted): Promise<void> {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { port, hostPort, hostAddress } of wanted.publish) {
    bindings[`${port}/tcp`] ??= [];
    bindings[`${port}/tcp`]?.push({ HostIp: hostAddress ?? "", HostPort: String(hostPort) });
  }
  const body = {
    Image: IMAGE,
    StopSignal: "SIGKILL", // busybox as process 1 ignores SIGTERM, which costs 10 s a stop.
    Cmd: ["/bin/busybox", "httpd", "-f", "-p", "80", "-h", "/www"],
    ExposedPorts: Object.fromEntries(Object.keys(bindings).map((port) => [port, {}])),
    HostConfig: { PortBindings: bindings, RestartPolicy: { Name: "always" } },
  };
  await call(namespace, "POST", `/containers/create?name=${wanted.name}`, body);
  await call(namespace, "POST", `/containers/${wanted.name}/start`);
}

/** One request of the Docker API over its socket, seen through the namespace's root. */
function call(
  namespace: Namespace,
  method: string,
  path: string,
  body?: Uint8Array | object,
): Promise<string> {
  const tar = body instanceof Uint8Array;
  const payload = body === undefined || tar ? body : JSON.stringify(body);
  const headers = { "content-type": tar ? "application/x-tar" : "application/json", host: "docker" };
  const socketPath = `/proc/${namespace.pid}/root${SOCKET}`;
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method, path, headers, timeout: CALL_DEADLINE_MS }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.once("end", () => {
        if ((response.statusCode ?? 500) < 400) resolve(text);
        else reject(new Error(`docker ${method} ${path}: ${response.statusCode} ${text}`));
      });
    });
    outgoing.once("timeout", () => outgoing.destroy(new Error(`docker ${method} ${path}: no answer`)));
    outgoing.once("error", reject);
    outgoing.end(payload);
  });
}
