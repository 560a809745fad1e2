/** Every rule of the kernel, and who loads rules: nft, iptables, UFW, Docker's chain. */
import { networkInterfaces } from "node:os";
import type { FirewallFacts, FirewallManager, UfwFacts } from "../../core/audit/fact/firewall.ts";
import { tablesOfIptables } from "../../core/audit/filter/from-iptables.ts";
import { tablesOfNft } from "../../core/audit/filter/from-nft.ts";
import type { Table } from "../../core/audit/filter/model.ts";
import { absent, type Reading, read, unreadable } from "../../core/audit/reading.ts";
import { parseUfwRules, shellSetting } from "../../core/audit/read/ufw.ts";
import { findProgram } from "../host/command.ts";
import { ask } from "./ask.ts";
import { namesIn, stateAt, textOf } from "./file.ts";
import { hasSystemd, unitProperties, unitStates } from "./systemd.ts";

const LEGACY = ["/proc/net/ip_tables_names", "/proc/net/ip6_tables_names"];
/** Tables that iptables-nft keeps in nf_tables; iptables-save tells of them in more detail than nft. */
const OF_IPTABLES = /^(ip|ip6) (filter|nat|mangle|raw|security)$/;

export async function readFirewall(seawall: FirewallFacts["seawall"]): Promise<Reading<FirewallFacts>> {
  const [nft, four, six, managers] = await Promise.all([
    ask("nft", ["-j", "list", "ruleset"]),
    ask("iptables-save", []),
    ask("ip6tables-save", []),
    readManagers(),
  ]);
  const legacyTables = [
    ...new Set(
      LEGACY.flatMap((path) =>
        textOf(path)
          .split("\n")
          .filter((line) => line !== ""),
      ),
    ),
  ];
  const legacy = await legacyRules(legacyTables);
  const saved = [...savedTables(four, "ip"), ...savedTables(six, "ip6"), ...legacy];
  const tables = tablesIn(nft, saved);
  const interfaces = namesIn("/sys/class/net");
  const uplinks = readUplinks();
  const addresses = addressesOf(uplinks);
  return read({
    tables,
    ufw: readUfw(saved, managers),
    managers,
    nftablesFlushes: /^\s*flush\s+ruleset/m.test(textOf("/etc/nftables.conf")),
    nftablesTables: tablesDefinedIn(textOf("/etc/nftables.conf")),
    uplinks,
    interfaces: interfaces.length > 0 ? interfaces : Object.keys(networkInterfaces()),
    addresses,
    hasIpv6: addresses.some((address) => address.includes(":") && !/^fe80:/i.test(address)),
    legacyTables: legacyTables.filter((name) => holdsSomething(name, legacy)),
    dockerUser: dockerUserRules(four?.stdout ?? "", six?.stdout ?? ""),
    forwarding: {
      v4: textOf("/proc/sys/net/ipv4/ip_forward").trim() === "1",
      v6: textOf("/proc/sys/net/ipv6/conf/all/forwarding").trim() === "1",
    },
    seawall,
  });
}

/** `table inet filter {` of the file that nftables.service loads (nft(8)); a table without a family is `ip`. */
function tablesDefinedIn(text: string): string[] {
  const names = [
    ...text.matchAll(/^\s*table\s+(?:(ip|ip6|inet|arp|bridge|netdev)\s+)?([A-Za-z_][\w-]*)\s*\{/gm),
  ];
  return [...new Set(names.map(([, family = "ip", name = ""]) => `${family} ${name}`))];
}

/** The kernel names a table for as long as it runs, also when it is empty; one that nobody could read may hold all. */
function holdsSomething(name: string, legacy: readonly Table[]): boolean {
  const own = legacy.filter((table) => table.name.endsWith(` ${name}`));
  return own.length === 0 || own.some(isUsed);
}

function isUsed({ chains, base }: Table): boolean {
  return (
    [...chains.values()].some((rules) => rules.length > 0) || base.some(({ policy }) => policy === "drop")
  );
}

function savedTables(answer: Awaited<ReturnType<typeof ask>>, family: "ip" | "ip6"): Table[] {
  return answer?.status === 0
    ? tablesOfIptables(answer.stdout, family, family === "ip" ? "iptables" : "ip6tables")
    : [];
}

function tablesIn(nft: Awaited<ReturnType<typeof ask>>, saved: readonly Table[]): Reading<readonly Table[]> {
  if (nft === undefined) {
    if (process.geteuid?.() === 0 && saved.length > 0) return read(saved);
    return unreadable(
      "nft is not installed, so the kernel's rules cannot be read whole",
      "apt-get install nftables",
    );
  }
  const all = nft.status === 0 ? tablesOfNft(nft.stdout) : undefined;
  if (all === undefined)
    return unreadable(
      `nft cannot list the rules: ${nft.stderr.trim().split("\n")[0] ?? ""}`,
      process.geteuid?.() === 0 ? "nft list ruleset" : "sudo seawall audit",
    );
  const families = new Set(saved.map(({ family }) => family));
  return read([
    ...all.filter(({ name, family }) => !(OF_IPTABLES.test(name) && families.has(family))),
    ...saved,
  ]);
}

/** Asked only when the kernel already has such tables: asking would otherwise load the old iptables into it. */
async function legacyRules(names: readonly string[]): Promise<Table[]> {
  if (names.length === 0) return [];
  const [four, six] = await Promise.all([ask("iptables-legacy-save", []), ask("ip6tables-legacy-save", [])]);
  return [
    ...(four?.status === 0 ? tablesOfIptables(four.stdout, "ip", "iptables-legacy") : []),
    ...(six?.status === 0 ? tablesOfIptables(six.stdout, "ip6", "ip6tables-legacy") : []),
  ];
}

function dockerUserRules(...texts: readonly string[]): readonly string[] | null {
  const lines = texts.flatMap((text) => text.split("\n"));
  if (!lines.some((line) => line.startsWith(":DOCKER-USER "))) return null;
  return lines.filter((line) => line.startsWith("-A DOCKER-USER ") && line !== "-A DOCKER-USER -j RETURN");
}

/** Interfaces of default routes (proc(5) /proc/net/route, /proc/net/ipv6_route). */
function readUplinks(): string[] {
  const four = textOf("/proc/net/route")
    .split("\n")
    .slice(1)
    .map((line) => line.split("\t"))
    .filter(([, destination, , , , , , mask]) => destination === "00000000" && mask === "00000000")
    .map(([name = ""]) => name);
  const six = textOf("/proc/net/ipv6_route")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([destination, bits, , , hop]) =>
        /^0+$/.test(destination ?? "") && bits === "00" && /[1-9a-f]/.test(hop ?? ""),
    )
    .map((fields) => fields[9] ?? "");
  return [...new Set([...four, ...six])].filter((name) => name !== "" && name !== "lo");
}

function addressesOf(uplinks: readonly string[]): string[] {
  return uplinks.flatMap((name) => (networkInterfaces()[name] ?? []).map(({ address }) => address));
}

const MANAGERS = ["nftables", "ufw", "firewalld", "netfilter-persistent", "iptables"] as const;

async function readManagers(): Promise<Reading<readonly FirewallManager[]>> {
  if (!hasSystemd())
    return unreadable(
      "systemd does not run here, so what loads rules at boot cannot be seen",
      "run the audit on the host itself, not in a container of it",
    );
  const [states, stops] = await Promise.all([
    unitStates(MANAGERS.map((name) => `${name}.service`)),
    unitProperties(["nftables.service"], ["ExecStop"]),
  ]);
  const flushes = /flush\s+ruleset/.test(stops?.[0]?.get("ExecStop") ?? "");
  if (states === undefined) return unreadable("systemctl does not answer", "systemctl status");
  return read(
    MANAGERS.flatMap((name) => {
      const state = states.get(`${name}.service`);
      return state === undefined || state.load !== "loaded"
        ? []
        : [
            {
              name,
              atBoot: state.file.startsWith("enabled"),
              running: state.active === "active",
              flushesAtStop: name === "nftables" && flushes,
            },
          ];
    }),
  );
}

function readUfw(saved: readonly Table[], managers: Reading<readonly FirewallManager[]>): Reading<UfwFacts> {
  if (findProgram("ufw") === undefined || stateAt("/etc/ufw/ufw.conf") === undefined)
    return absent("UFW is not installed");
  const conf = textOf("/etc/ufw/ufw.conf");
  const defaults = textOf("/etc/default/ufw");
  const setting = (text: string, name: string): string => shellSetting(text, name).toLowerCase();
  const goesTo = (family: "ip" | "ip6", chain: string): boolean =>
    saved.some(
      (table) =>
        table.family === family &&
        table.name.endsWith(" filter") &&
        (table.chains.get("INPUT") ?? []).some(
          ({ verdict }) => verdict?.kind === "jump" && verdict.chain === chain,
        ),
    );
  const ufw = managers.kind === "read" ? managers.value.find(({ name }) => name === "ufw") : undefined;
  return read({
    enabledInFile: setting(conf, "ENABLED") === "yes",
    inKernel4: goesTo("ip", "ufw-before-input"),
    inKernel6: goesTo("ip6", "ufw6-before-input"),
    atBoot:
      ufw === undefined
        ? unreadable("the ufw unit cannot be seen", "systemctl is-enabled ufw")
        : read(ufw.atBoot),
    ipv6: setting(defaults, "IPV6") !== "no",
    incoming: setting(defaults, "DEFAULT_INPUT_POLICY") || "drop",
    routed: setting(defaults, "DEFAULT_FORWARD_POLICY") || "drop",
    logLevel: setting(conf, "LOGLEVEL") || "low",
    rules: [
      ...parseUfwRules(textOf("/etc/ufw/user.rules")),
      ...parseUfwRules(textOf("/etc/ufw/user6.rules")),
    ],
  });
}
