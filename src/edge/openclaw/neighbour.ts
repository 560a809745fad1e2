/** What else on this machine has a say in what is reachable: SSH, UFW, Docker, tunnels. Everything is only read. */
import { readFileSync } from "node:fs";
import type { Listener, Neighbours } from "../../core/init/facts.ts";
import { isLoopback } from "../../core/net/ip.ts";
import { findProgram, runSync } from "../host/command.ts";
import { listeners } from "./listener.ts";
import { processIds } from "../host/proc.ts";
import { holderOf } from "../host/socket.ts";
import { lookAtSsh } from "../host/ssh-session.ts";
import { commOf } from "./process.ts";

const DEADLINE_MS = 10_000;

/** Returns what is found in this network namespace. A program that is not there or fails is no finding. */
export function findNeighbours(): Neighbours {
  const all = listeners();
  const settings = sshdSettings();
  return {
    ssh: sshPorts(),
    sshPasswords: settings === null ? null : settings.passwords,
    ufw: ufwState(),
    docker: processIds().some((pid) => commOf(pid) === "dockerd"),
    tunnels: [...tailscale(all), ...wireguard()],
    listeners: all,
  };
}

interface SshdSettings {
  readonly ports: readonly number[];
  readonly passwords: boolean;
}

/** sshd(8) -T prints the effective settings; it needs root and host keys. */
function sshdSettings(): SshdSettings | null {
  const text = said("sshd", ["-T"]);
  if (text === null) return null;
  const ports = [...text.matchAll(/^port (\d+)$/gm)].map((match) => Number(match[1]));
  return { ports, passwords: /^passwordauthentication yes$/m.test(text) };
}

/** SECURITY: what calls itself sshd may be the agent; the host's own SSH is known by what the kernel knows of it. */
function sshPorts(): Neighbours["ssh"] {
  const found = new Map<number, string>();
  for (const { address, port, by, inode } of lookAtSsh().listeners) {
    if (isLoopback(address)) continue;
    const evidence =
      by === "systemd"
        ? "systemd listens there for sshd (ssh.socket)"
        : `${by} listens there (pid ${holderOf(inode)?.pid})`;
    found.set(port, evidence);
  }
  return [...found]
    .map(([port, evidence]) => ({ port, evidence }))
    .sort((left, right) => left.port - right.port);
}

function ufwState(): Neighbours["ufw"] {
  if (findProgram("ufw") === undefined) return "absent";
  const text = said("ufw", ["status"]);
  if (text !== null) return /^Status: active$/m.test(text) ? "active" : "inactive";
  return /^ENABLED=yes$/m.test(readText("/etc/ufw/ufw.conf")) ? "active" : "inactive";
}

function tailscale(all: readonly Listener[]): Neighbours["tunnels"] {
  const ports = all
    .filter((one) => one.protocol === "udp" && one.program === "tailscaled" && !one.isLoopback)
    .map(({ port }) => port);
  return [...new Set(ports)].map((port) => ({ name: "tailscale", port }));
}

/** WireGuard listens in the kernel: only wg(8) knows the port. */
function wireguard(): Neighbours["tunnels"] {
  const text = findProgram("wg") === undefined ? null : said("wg", ["show", "all", "listen-port"]);
  if (text !== null) {
    return text.split("\n").flatMap((line) => {
      const [name = "", port = ""] = line.split("\t");
      return /^[A-Za-z0-9._-]{1,15}$/.test(name) && /^\d{1,5}$/.test(port) && Number(port) > 0
        ? [{ name, port: Number(port) }]
        : [];
    });
  }
  const links = said("ip", ["-o", "link", "show", "type", "wireguard"]) ?? "";
  return [...links.matchAll(/^\d+: ([A-Za-z0-9._-]{1,15}):/gm)].map((match) => ({
    name: match[1] ?? "",
    port: null,
  }));
}

function said(program: string, args: readonly string[]): string | null {
  try {
    const result = runSync(program, args, { deadlineMs: DEADLINE_MS });
    return result.status === 0 ? result.stdout : null;
  } catch {
    return null;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
