/** Looks at this host once, everything beside each other, and changes nothing. */
import type { Facts } from "../../core/audit/fact/facts.ts";
import type { FirewallFacts } from "../../core/audit/fact/firewall.ts";
import type { Layer } from "../../core/audit/finding.ts";
import type { OperatorFacts } from "../../core/audit/fact/operator.ts";
import { type Reading, unreadable, valueOr } from "../../core/audit/reading.ts";
import type { Attestation } from "../../core/audit/waiver.ts";
import { readAccounts } from "./account.ts";
import { readDocker } from "./docker.ts";
import { readFail2ban } from "./fail2ban.ts";
import { readFirewall } from "./firewall.ts";
import { readHost } from "./host.ts";
import { readOpenclaw } from "./openclaw.ts";
import type { AnswerCache } from "./openclaw-cli.ts";
import { findPlaces } from "./openclaw-place.ts";
import { listenersOf, readListeners, readProcesses } from "./process.ts";
import { readProxy } from "./proxy.ts";
import { readSecrets } from "./secret.ts";
import { readSsh } from "./ssh.ts";
import { readTailscale } from "./tailscale.ts";
import { readUpdates } from "./update.ts";

export interface ProbeOptions {
  readonly nowMs: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly operator: OperatorFacts;
  readonly seawall: FirewallFacts["seawall"];
  readonly attested: readonly Attestation[];
  readonly containment: Facts["containment"];
  readonly cache: AnswerCache;
  /** Leaves OpenClaw's own commands out unless an earlier answer still holds. */
  readonly quick: boolean;
  /** Only what these checks need is looked at; everything when absent. */
  readonly checks?: readonly { readonly id: string; readonly layer: Layer }[];
}

/** Which layers need which facts. */
const NEEDS: Readonly<
  Record<
    | "ssh"
    | "firewall"
    | "fail2ban"
    | "updates"
    | "docker"
    | "secrets"
    | "proxy"
    | "openclaw"
    | "tailscale"
    | "host",
    readonly Layer[]
  >
> = {
  ssh: ["ssh", "firewall", "fail2ban", "remote", "app"],
  firewall: ["firewall", "docker", "remote", "ssh"],
  fail2ban: ["fail2ban"],
  updates: ["updates"],
  docker: ["docker", "firewall", "app"],
  secrets: ["secrets"],
  proxy: ["proxy", "app"],
  openclaw: ["app", "docker", "secrets", "firewall", "proxy"],
  tailscale: ["remote", "firewall"],
  host: ["host", "firewall", "remote"],
};

function isNeeded(name: keyof typeof NEEDS, checks: ProbeOptions["checks"]): boolean {
  if (checks === undefined) return true;
  // The one check of another layer that asks apt, which is slow.
  if (name === "updates" && checks.some(({ id }) => id === "SSH-023")) return true;
  return checks.some(({ layer }) => NEEDS[name].includes(layer));
}

const NOT_LOOKED_AT = unreadable("this layer was not asked for", "seawall audit");

export async function takeFacts(options: ProbeOptions): Promise<Facts> {
  const table = readProcesses();
  const listeners = readListeners(table);
  const accounts = readAccounts();
  const users = valueOr(accounts, []);
  const found = findPlaces(table, users, options.env);
  const { places } = found;
  const ports = places.flatMap(({ pid }) => (pid === null ? [] : listenersOf(table, pid)));
  const gatewayPorts = [18_789, ...ports.map(({ port }) => port)];
  const { checks, operator, nowMs } = options;
  const operators = [...new Set(operator.sessions.map(({ peer }) => peer))];
  const layers = checks?.map(({ layer }) => layer);
  const part = <Value>(
    name: keyof typeof NEEDS,
    look: () => Promise<Reading<Value>>,
  ): Promise<Reading<Value>> =>
    isNeeded(name, checks) ? safely(name, look) : Promise.resolve(NOT_LOOKED_AT);
  const ssh = part("ssh", () => readSsh({ processes: table, listeners, accounts, operators, nowMs }));
  const sshSeen = ssh.then((facts) => ({
    sshVersion: facts.kind === "read" ? facts.value.version : null,
    operators,
  }));
  const isAsked = layers?.some((layer) => layer === "app" || layer === "secrets") ?? true;
  const quickOpenclaw = options.quick || !isAsked;
  const [sshFacts, firewall, fail2ban, updates, docker, secrets, proxy, openclaw, tailscale, host] =
    await Promise.all([
      ssh,
      part("firewall", () => readFirewall(options.seawall)),
      part("fail2ban", () => readFail2ban(sshSeen)),
      part("updates", () => readUpdates()),
      part("docker", () => readDocker(table, listeners)),
      part("secrets", () => readSecrets({ ...found, table, accounts: users })),
      part("proxy", () => readProxy(table, gatewayPorts)),
      part("openclaw", () =>
        readOpenclaw({ ...found, table, accounts: users, cache: options.cache, quick: quickOpenclaw }),
      ),
      part("tailscale", () => readTailscale(table)),
      part("host", () => readHost(table)),
    ]);
  return {
    takenMs: nowMs,
    privileged: process.geteuid?.() === 0,
    listeners,
    accounts,
    ssh: sshFacts,
    firewall,
    fail2ban,
    updates,
    docker,
    secrets,
    proxy,
    openclaw,
    tailscale,
    host,
    operator,
    attested: options.attested,
    containment: options.containment,
  };
}

/** A host that surprises one probe does not take the others' answers with it. */
async function safely<Value>(name: string, look: () => Promise<Reading<Value>>): Promise<Reading<Value>> {
  try {
    return await look();
  } catch (cause) {
    return unreadable(
      `looking at ${name} failed: ${cause instanceof Error ? cause.message : String(cause)}`,
      "report this with `seawall audit --json`",
    );
  }
}
