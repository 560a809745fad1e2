/** Whether anybody can still log in: what the host's SSH listens on, beside the policy that judges. */
import { networkInterfaces } from "node:os";
import type { ResolvedPolicy } from "../core/policy/resolved.ts";
import { admitsAnybody, type SshWay } from "../core/policy/ssh-way.ts";
import type { Folders } from "../edge/state/folder.ts";
import { readInForce } from "./in-force.ts";
import { sshWays } from "./ssh-way.ts";

export interface NoSsh {
  /** `NO SSH: sshd listens on 2222, no rule lets anybody in`. */
  readonly said: string;
  /** The line of `inbound:` that lets somebody in. */
  readonly rule: string;
}

/** Returns what to say where this host's SSH listens and the policy lets nobody get there; null for nothing. */
export function noSshUnder(
  policy: ResolvedPolicy,
  nowMs: number,
  ways: readonly SshWay[] = sshWays(),
): NoSsh | null {
  if (ways.length === 0 || admitsAnybody(policy, ways, nowMs)) return null;
  const ports = ways.map(({ port }) => port).join(", ");
  const families = new Set(ways.flatMap((way) => way.families));
  const [only] = families;
  const over = families.size === 1 ? ` over IPv${only} only` : "";
  const tailnet = Object.keys(networkInterfaces()).find((name) => name.startsWith("tailscale"));
  const but = tailnet === undefined ? "" : ` but over ${tailnet}`;
  return {
    said: `NO SSH: this host's SSH listens on ${ports}${over}, no rule lets anybody in${but}`,
    rule: `- {allow: ${serviceOf(ways)}, from: any, why: "administration by SSH"}`,
  };
}

/** The same for what judges now, by the kernel's word; null also where that cannot be told. */
export function noSshNow(folders: Folders, nowMs: number): NoSsh | null {
  const inForce = readInForce(folders);
  return inForce.kind === "judging" ? noSshUnder(inForce.policy, nowMs) : null;
}

function serviceOf(ways: readonly SshWay[]): string {
  const names = ways.map(({ port }) => (port === 22 ? "ssh" : String(port)));
  return names.length === 1 ? (names[0] ?? "ssh") : `[${names.join(", ")}]`;
}
