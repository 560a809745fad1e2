/** Containers, by Docker's word and by the kernel's. */
import type { Container, ContainerProcess, DockerFacts } from "../../core/audit/fact/docker.ts";
import type { Listener } from "../../core/audit/fact/listener.ts";
import { listenerText } from "../../core/audit/fact/listener.ts";
import { type ContainerJson, containerOf, type ImageJson } from "../../core/audit/read/docker.ts";
import { absent, type Reading, read, unreadable, valueOr } from "../../core/audit/reading.ts";
import { findProgram } from "../host/command.ts";
import { inTurns } from "./ask.ts";
import { askDocker } from "./docker-socket.ts";
import { readText, stateAt, textOf } from "./file.ts";
import { groupNames } from "./account.ts";
import type { ProcessTable } from "./process.ts";

const SOCKETS = ["/run/docker.sock", "/var/run/docker.sock"];
/** LIMIT: containers that are looked at. */
const CONTAINERS_MAX = 200;
const AT_ONCE = 8;

export async function readDocker(
  table: ProcessTable,
  listeners: Reading<readonly Listener[]>,
): Promise<Reading<DockerFacts>> {
  const socket = SOCKETS.find((path) => stateAt(path) !== undefined);
  if (socket === undefined) {
    if (findProgram("dockerd") === undefined) return absent("Docker is not installed");
    return absent("Docker is installed and does not run");
  }
  const [version, engine, list] = await Promise.all([
    askDocker(socket, "/version"),
    askDocker(socket, "/info"),
    askDocker(socket, "/containers/json"),
  ]);
  if (!version.ok)
    return unreadable(
      `Docker's socket: ${version.why}`,
      process.geteuid?.() === 0 ? "systemctl status docker" : "sudo seawall audit --layer docker",
    );
  const settings = daemonSettings();
  const told = (engine.ok ? engine.value : {}) as {
    readonly SecurityOptions?: readonly string[] | null;
    readonly LiveRestoreEnabled?: boolean;
    readonly FirewallBackend?: { readonly Driver?: string };
  };
  const options = told.SecurityOptions ?? [];
  const ids = ((list.ok ? list.value : []) as readonly { readonly Id: string }[]).slice(0, CONTAINERS_MAX);
  const containers = await inTurns(ids, AT_ONCE, ({ Id }) => readContainer(socket, Id));
  const state = stateAt(socket);
  return read({
    version: (version.value as { readonly Version?: string }).Version ?? "0",
    firewallBackend: told.FirewallBackend?.Driver ?? null,
    containers: containers.filter((container) => container !== undefined),
    socket: state === undefined ? unreadable(`${socket} is gone`, "systemctl status docker") : read(state),
    dockerGid: [...groupNames()].find(([, name]) => name === "docker")?.[0] ?? null,
    rootless: options.some((option) => option.includes("rootless")),
    usernsRemap: options.some((option) => option.includes("userns")),
    liveRestore: told.LiveRestoreEnabled === true,
    settings,
    appArmorOnHost: textOf("/sys/module/apparmor/parameters/enabled").trim() === "Y",
    tcp: tcpSockets(table, listeners),
  });
}

async function readContainer(socket: string, id: string): Promise<Container | undefined> {
  const inspected = await askDocker(socket, `/containers/${encodeURIComponent(id)}/json`);
  if (!inspected.ok) return undefined;
  const json = inspected.value as ContainerJson;
  const image = await askDocker(socket, `/images/${encodeURIComponent(json.Image ?? "")}/json`);
  const container = containerOf(json, image.ok ? (image.value as ImageJson) : null);
  return { ...container, process: processOf(container.pid) };
}

function processOf(pid: number): Reading<ContainerProcess> {
  const status = readText(`/proc/${pid}/status`);
  if (pid <= 0 || status.kind !== "text")
    return unreadable("the container's process cannot be seen", "sudo seawall audit --layer docker");
  const line = (name: string): string =>
    new RegExp(`^${name}:[ \\t]*(\\S+)`, "m").exec(status.text)?.[1] ?? "0";
  return read({
    uid: Number(/^Uid:\s*\d+\s+(\d+)/m.exec(status.text)?.[1] ?? 0),
    capBounding: BigInt(`0x${line("CapBnd")}`),
    capEffective: BigInt(`0x${line("CapEff")}`),
    noNewPrivileges: line("NoNewPrivs") === "1",
    seccomp: Number(line("Seccomp")),
    appArmor:
      textOf(`/proc/${pid}/attr/apparmor/current`).trim() ||
      textOf(`/proc/${pid}/attr/current`).trim() ||
      null,
  });
}

function daemonSettings(): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(textOf("/etc/docker/daemon.json") || "{}");
    return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function tcpSockets(table: ProcessTable, listeners: Reading<readonly Listener[]>): string[] {
  const daemons = new Set(table.all.filter(({ comm }) => comm === "dockerd").map(({ pid }) => pid));
  return valueOr(listeners, [])
    .filter(({ pid, protocol }) => protocol === "tcp" && pid !== null && daemons.has(pid))
    .map(listenerText);
}
