/** How the operator gets into this host, which no advice may cut: ports, sessions, accounts with a key that works. */
import type { Facts } from "../fact/facts.ts";
import type { OperatorSession } from "../fact/operator.ts";
import type { SshContext, SshFacts, SshUser } from "../fact/ssh.ts";
import { type Step, say } from "./fix.ts";

export interface WayIn {
  /** Ports of sshd: where it listens, where its configuration says, where somebody came in. In order. */
  readonly ports: readonly number[];
  /** Whether those are all: sshd's sockets were seen, or there is no sshd. */
  readonly seen: boolean;
  readonly sessions: readonly OperatorSession[];
  /** Accounts that get in with a key and may become root: the caller's own first, then users, then root. */
  readonly keyHolders: readonly SshUser[];
}

export function wayInOf(facts: Facts): WayIn {
  const { sessions, user } = facts.operator;
  const ssh = facts.ssh.kind === "read" ? facts.ssh.value : null;
  const listening = ssh?.listening.kind === "read" ? ssh.listening.value : [];
  const configured = ssh === null ? [] : configuredPorts(ssh);
  const ports = [...new Set([...listening, ...configured, ...sessions.map(({ port }) => port)])];
  const holders = ssh === null ? [] : keyHolders(ssh);
  const rank = (one: SshUser): number => (one.name === user ? 0 : one.uid === 0 ? 2 : 1);
  return {
    ports: ports.toSorted((left, right) => left - right),
    seen: ports.length > 0 || facts.ssh.kind === "absent" || ssh?.listening.kind === "absent",
    sessions,
    keyHolders: holders.toSorted((left, right) => rank(left) - rank(right)),
  };
}

/** Ports of the first context: Match cannot change them. */
export function configuredPorts(ssh: SshFacts): number[] {
  const [context] = ssh.contexts;
  return context === undefined ? [] : [...new Set((context.options.get("port") ?? []).map(Number))];
}

/** Returns accounts that sshd lets in with a key and that are root or may become root. */
export function keyHolders({ users, contexts }: SshFacts): SshUser[] {
  return users.filter(
    ({ sudo, uid, barred, keys }) =>
      barred === null && keys.length > 0 && (sudo || uid === 0) && (uid !== 0 || rootMayUseKeys(contexts)),
  );
}

/** SECURITY: in every context that asks about root; one from which root may come is no proof for the others. */
function rootMayUseKeys(contexts: readonly SshContext[]): boolean {
  const forRoot = contexts.filter(({ user }) => user === "root");
  return (forRoot.length > 0 ? forRoot : contexts).every(
    (context) =>
      !["no", "forced-commands-only"].includes(context.options.get("permitrootlogin")?.[0] ?? "no"),
  );
}

/** `ssh -t -p 2222 ann@203.0.113.10`: how one logs in anew from elsewhere. */
export function loginLine(
  facts: Facts,
  options: { readonly user?: string; readonly port?: number } = {},
): string {
  const { sessions, ports, keyHolders: holders } = wayInOf(facts);
  const port = options.port ?? sessions[0]?.port ?? ports[0] ?? 22;
  const user = options.user ?? holders[0]?.name ?? facts.operator.user ?? "YOU";
  return `ssh -t -p ${port} ${user}@${ownAddress(facts)}`;
}

/** The address by which the caller came, or the first of an uplink. */
export function ownAddress(facts: Facts): string {
  const uplinks = facts.firewall.kind === "read" ? facts.firewall.value.addresses : [];
  return (
    facts.operator.sessions[0]?.address ??
    uplinks.find((address) => !address.startsWith("fe80:")) ??
    "THIS-SERVER"
  );
}

/** The words that end every change of a way in: what is open stays open, what is new is tried. */
export function secondLogin(
  facts: Facts,
  options: { readonly user?: string; readonly port?: number } = {},
): Step[] {
  return [
    say("Keep this session open. From your own computer try a second login:"),
    say(`  ${loginLine(facts, options)}`),
  ];
}

/** `22`, `22 and 2222`. */
export function portsText(ports: readonly number[]): string {
  return ports.length < 2 ? ports.join("") : `${ports.slice(0, -1).join(", ")} and ${ports.at(-1) ?? ""}`;
}
