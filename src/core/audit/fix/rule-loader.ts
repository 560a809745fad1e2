/** Several programs that load rules, and old rules beside new ones: mended without a moment in which all are gone. */
import type { Facts } from "../fact/facts.ts";
import type { FirewallFacts, FirewallManager } from "../fact/firewall.ts";
import type { Table } from "../filter/model.ts";
import { isClosedByDefault } from "./firewall.ts";
import { type Step, fixText, run, say } from "./fix.ts";
import { letSshIn } from "./ufw.ts";
import { secondLogin } from "./way-in.ts";

const FILE = "/etc/nftables.conf";
const DROP_IN = "/etc/systemd/system/nftables.service.d";

/** Returns the programs that load rules from now on: at boot, or when their unit is stopped or restarted. */
export function loaders(managers: readonly FirewallManager[]): readonly FirewallManager[] {
  return managers.filter(
    ({ name, atBoot, running, flushesAtStop }) =>
      atBoot || (running && (name === "firewalld" || name === "ufw" || flushesAtStop)),
  );
}

/** FW-010 */
export function fixManagers(facts: Facts): string {
  if (facts.firewall.kind !== "read" || facts.firewall.value.managers.kind !== "read")
    return "leave one program that loads rules enabled, and disable the others for the next start only, never at once";
  const firewall = facts.firewall.value;
  const active = loaders(facts.firewall.value.managers.value).map(({ name }) => name);
  const ufw = firewall.ufw.kind === "read" && firewall.ufw.value.inKernel4 ? firewall.ufw.value : null;
  const nftables = active.includes("nftables") ? calmNftables(firewall) : [];
  const rest = active.filter((name) => name !== "nftables" && name !== "ufw");
  return fixText([
    say("Nothing is stopped here: a stopped unit takes its rules with it, and some take everybody's."),
    ...(ufw === null ? [] : letSshIn(facts, ufw)),
    ...nftables,
    ...(rest.length === 0 ? [] : leaveOne(rest, ufw !== null)),
    ...secondLogin(facts),
  ]);
}

/** Its ExecStop is emptied first: Debian's flushes every table of everybody (a package upgrade restarts it). */
function calmNftables(firewall: FirewallFacts): Step[] {
  const quiet = [
    run(`mkdir -p ${DROP_IN}`),
    run(`printf '[Service]\\nExecStop=\\n' >${DROP_IN}/no-flush.conf`),
    run("systemctl daemon-reload"),
  ];
  const filtering = firewall.nftablesTables.filter((name) => isFiltering(firewall, name));
  if (filtering.length === 0)
    return [
      say(
        `${FILE} filters nothing. It is not loaded at the next start, and takes nobody's rules when its unit is restarted; what it loaded stays until then.`,
      ),
      ...quiet,
      run(`sed -i.before-seawall 's/^[[:space:]]*flush[[:space:]][[:space:]]*ruleset/# &/' ${FILE}`),
      run("systemctl disable nftables"),
    ];
  const own = filtering.map((name) => `table ${name}\\ndelete table ${name}`).join("\\n");
  return [
    say(
      `${FILE} is a firewall of this host (${filtering.join(", ")}): it stays, and begins by deleting its own table only.`,
    ),
    ...quiet,
    run(`sed -i.before-seawall 's/^[[:space:]]*flush[[:space:]][[:space:]]*ruleset.*/${own}/' ${FILE}`),
    run(`nft -c -f ${FILE}`),
  ];
}

function isFiltering({ tables }: FirewallFacts, name: string): boolean {
  if (tables.kind !== "read") return true;
  return tables.value.filter((table) => table.name === name).some(isUsed);
}

function isUsed({ chains, base }: Table): boolean {
  return (
    base.some(({ policy }) => policy === "drop") || [...chains.values()].some((rules) => rules.length > 0)
  );
}

function leaveOne(names: readonly string[], hasUfw: boolean): Step[] {
  if (!hasUfw && names.length < 2) return [];
  const [kept, others] = hasUfw ? ["ufw", names] : [names[0] ?? "", names.slice(1)];
  return [
    say(`${kept} stays. From the next start on it is the only one; until then the rules stay as they are.`),
    ...others.map((name) => run(`systemctl disable ${name}`)),
  ];
}

/** FW-015: old tables go only where they are not the firewall, and never with a policy that drops. */
export function fixLegacy(facts: Facts): string {
  if (facts.firewall.kind !== "read")
    return "move the rules of the old iptables to one place, a rule at a time";
  const firewall = facts.firewall.value;
  const tables = firewall.tables.kind === "read" ? firewall.tables.value : [];
  const old = tables.filter(({ name }) => isLegacy(name));
  const chains = old.flatMap((table) => [...table.chains.keys()]);
  if (chains.some((chain) => chain.startsWith("DOCKER")))
    return "Docker writes rules into the old iptables: update-alternatives --set iptables /usr/sbin/iptables-nft (ip6tables too), then restart the server when it suits you; emptying the tables now would cut the containers";
  if (chains.some((chain) => chain.startsWith("ufw")))
    return "UFW writes rules into the old iptables: update-alternatives --set iptables /usr/sbin/iptables-nft (ip6tables too), then restart the server when it suits you; UFW loads its rules anew there";
  if (old.length === 0 || !isClosedByDefault(firewall, isLegacy))
    return fixText([
      say(
        "The old tables are all that closes ports on this host: they stay until another firewall does (FW-001). Then look again: seawall audit --check FW-015",
      ),
    ]);
  return fixText([
    say(
      "Another firewall closes ports here, so the old rules are kept in a file and taken out. First their policy is to accept: an empty chain that drops would cut SSH.",
    ),
    ...["iptables-legacy", "ip6tables-legacy"].flatMap((program) => emptied(program, old)),
    ...secondLogin(facts),
  ]);
}

function emptied(program: string, old: readonly Table[]): Step[] {
  const own = old.flatMap(({ name, base }) =>
    name.startsWith(`${program} `) ? [{ name: name.slice(program.length + 1), base }] : [],
  );
  if (own.length === 0) return [];
  return [
    run(`${program}-save >/root/${program}.rules`),
    ...own.flatMap(({ name, base }) =>
      base.map(({ chain }) => run(`${program} -t ${name} -P ${chain} ACCEPT`)),
    ),
    ...own.map(({ name }) => run(`${program} -t ${name} -F`)),
  ];
}

function isLegacy(name: string): boolean {
  return /^ip6?tables-legacy /.test(name);
}
