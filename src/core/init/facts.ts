/** What `seawall init` found on this machine: everything that the policy and the report are written from. */
import type { OpenclawNeeds } from "../openclaw/needs.ts";

/** A port of this network namespace on which something waits. */
export interface Listener {
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  /** Only this host itself can reach it. */
  readonly isLoopback: boolean;
  /** Who waits: the process's own name, or null when no process holds the socket (the kernel does). */
  readonly program: string | null;
  readonly pid: number | null;
}

export interface Neighbours {
  /** Ports by which one logs in, each with what says so. */
  readonly ssh: readonly { readonly port: number; readonly evidence: string }[];
  /** `sshd -T`: whether passwords are taken; null when it cannot be asked. */
  readonly sshPasswords: boolean | null;
  readonly ufw: "active" | "inactive" | "absent";
  readonly docker: boolean;
  /** Listen ports of tunnels, UDP. `port` is null where one exists and does not say. */
  readonly tunnels: readonly { readonly name: string; readonly port: number | null }[];
  readonly listeners: readonly Listener[];
}

export interface Instance {
  readonly configPath: string;
  readonly evidence: string;
  readonly uid: number;
  readonly user: string | null;
  readonly pid: number | null;
  readonly unit: { readonly name: string; readonly kind: "system" | "user" } | null;
  readonly container: {
    readonly id: string;
    readonly network: string | null;
    readonly isHostNetwork: boolean;
  } | null;
  /** Null when the configuration cannot be used: `problems` then says why. */
  readonly needs: OpenclawNeeds | null;
  readonly problems: readonly string[];
}

export interface Facts {
  /** The day it was found, as YYYY-MM-DD. */
  readonly day: string;
  readonly instances: readonly Instance[];
  /** What calls itself OpenClaw and was not looked at, each as a sentence. */
  readonly notLookedAt: readonly string[];
  readonly neighbours: Neighbours;
}
