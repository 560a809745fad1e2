/** Layer 2, who else decides: UFW, iptables, Docker's chains, other managers. */
import { type Check, fail, given, notApplicable, pass, passUnless, unknown } from "../check.ts";
import { valueOr } from "../reading.ts";
import { possibleAt, packetOf } from "../filter/evaluate.ts";
import { reachOfPort } from "./world.ts";

export const FIREWALL_HOST_CHECKS: readonly Check[] = [
  {
    id: "FW-002",
    layer: "firewall",
    severity: "high",
    title: "UFW is on now and after the next boot",
    why: "a firewall that is on in its file and off in the kernel, or the other way round, protects until the next boot at best",
    fix: "ufw --force enable && systemctl enable ufw",
    looksAt: "/etc/ufw/ufw.conf, the kernel's INPUT chain, systemctl is-enabled ufw",
    judge: (facts) =>
      given(facts.firewall, (firewall) => {
        if (firewall.ufw.kind === "absent" && firewall.seawall.state === "enforcing")
          return notApplicable("Seawall enforces; there is no UFW");
        return given(firewall.ufw, (ufw) => {
          if (!ufw.enabledInFile && !ufw.inKernel4 && firewall.seawall.state === "enforcing")
            return notApplicable("UFW is off, and Seawall enforces in its place");
          const boot =
            ufw.atBoot.kind === "read" && !ufw.atBoot.value
              ? ["the ufw unit is not enabled: nothing loads it at boot"]
              : [];
          return passUnless(
            [
              ...(ufw.enabledInFile ? [] : ["ufw.conf says ENABLED=no"]),
              ...(ufw.inKernel4 ? [] : ["INPUT of the kernel does not go to UFW's chains"]),
              ...boot,
            ],
            "ENABLED=yes, and INPUT goes to ufw-before-input",
          );
        });
      }),
  },
  {
    id: "FW-005",
    layer: "firewall",
    severity: "high",
    title: "IPv6 is filtered like IPv4",
    why: "rules for IPv4 alone leave the same ports open at the server's other address",
    fix: "set IPV6=yes in /etc/default/ufw, then: ufw reload",
    looksAt: "the same packet walked through the rules of both families",
    judge: (facts) =>
      given(facts.firewall, (firewall) =>
        given(firewall.tables, (tables) => {
          const ufwNo =
            firewall.ufw.kind === "read" && firewall.ufw.value.enabledInFile && !firewall.ufw.value.ipv6;
          if (!firewall.hasIpv6 && !ufwNo)
            return notApplicable("this host has no IPv6 address that others reach");
          const six = reachOfPort({ ...firewall, hasIpv6: true }, tables, "tcp", 47_113);
          const four = reachOfPort({ ...firewall, hasIpv6: false }, tables, "tcp", 47_113);
          const problems = [
            ...(ufwNo ? ["ufw: IPV6=no"] : []),
            ...(four.reach === "closed" && six.reach === "open"
              ? [`an unused port is closed over IPv4 and open over IPv6 (${six.where})`]
              : []),
          ];
          if (problems.length === 0 && six.reach === "open") return fail("neither family is filtered");
          if (problems.length === 0 && six.reach === "maybe")
            return unknown(
              "a rule that the audit cannot read decides over IPv6",
              "nft list ruleset, and read that rule yourself",
            );
          return passUnless(problems, `closed over both, IPv6 by ${six.where}`);
        }),
      ),
  },
  {
    id: "FW-009",
    layer: "firewall",
    severity: "low",
    title: "Loopback works, and its addresses are refused from outside",
    why: "a packet that claims to be from this host could reach what listens only for it",
    fix: "ufw --force enable does both; or sysctl net.ipv4.conf.all.rp_filter=2 (or 1)",
    looksAt:
      "rules for `lo`, and what happens to a packet from 127.0.0.1 at an uplink (or rp_filter, route_localnet)",
    judge: (facts) =>
      given(facts.firewall, (firewall) =>
        given(firewall.tables, (tables) => {
          const local = possibleAt(
            tables,
            "input",
            packetOf({ family: "ip", in: "lo", protocol: "tcp", port: 18_789, source: 0x7f_00_00_01 }),
          );
          const sysctls = facts.host.kind === "read" ? facts.host.value.sysctls : new Map<string, string>();
          const routes = sysctls.get("net.ipv4.conf.all.route_localnet") === "1";
          return passUnless(
            [
              ...(local.accept ? [] : [`a connection over loopback is dropped by ${local.by ?? "a chain"}`]),
              ...(routes ? ["route_localnet is 1: the kernel takes packets for 127.0.0.1 from outside"] : []),
            ],
            "loopback is accepted; the kernel refuses 127.0.0.0/8 from outside (route_localnet 0)",
          );
        }),
      ),
  },
  {
    id: "FW-010",
    layer: "firewall",
    severity: "high",
    title: "Only one program manages the firewall, and none deletes everybody's rules",
    why: "two managers undo each other, and `flush ruleset` wipes UFW, Docker, Fail2Ban and Seawall at once",
    fix: "systemctl disable --now nftables (its stock file begins with `flush ruleset`)",
    looksAt: "which units load rules at boot or now, and the file that nftables.service loads",
    judge: (facts) =>
      given(facts.firewall, (firewall) =>
        given(firewall.managers, (managers) => {
          const active = managers.filter(({ atBoot, running }) => atBoot || running).map(({ name }) => name);
          const nft = active.includes("nftables");
          return passUnless(
            [
              ...(active.length > 1 ? [`several load rules: ${active.join(", ")}`] : []),
              ...(nft && firewall.nftablesFlushes && othersHaveRules(firewall.tables)
                ? ["nftables.service flushes every table when it is started or reloaded"]
                : []),
            ],
            active.length === 0
              ? "no unit loads rules beside Seawall"
              : `only ${active[0] ?? ""} loads rules`,
          );
        }),
      ),
  },
  {
    id: "FW-012",
    layer: "firewall",
    severity: "high",
    title: "Rules in DOCKER-USER look at the port the stranger dialled",
    why: "after NAT `--dport` is the container's port, so the rule lets through what it seems to close",
    fix: "use `-m conntrack --ctorigdstport N --ctdir ORIGINAL` in place of `--dport N`",
    looksAt: "iptables-save: DOCKER-USER",
    judge: (facts) =>
      given(facts.firewall, ({ dockerUser }) => {
        if (dockerUser === null) return notApplicable("there is no DOCKER-USER chain");
        const wrong = dockerUser.filter(
          (rule) => / --dports? /.test(rule) && /-j (RETURN|ACCEPT)\b/.test(rule),
        );
        return passUnless(wrong, `${dockerUser.length} rule(s), none lets through by the container's port`);
      }),
  },
  {
    id: "FW-013",
    layer: "firewall",
    severity: "high",
    title: "Interfaces named in DOCKER-USER exist",
    why: "a rule for an interface that is gone never matches, so the ports are open",
    fix: "replace the name in /etc/ufw/after.rules or your script, and reload",
    looksAt: "iptables-save: DOCKER-USER, against the interfaces and the default routes",
    judge: (facts) =>
      given(facts.firewall, ({ dockerUser, interfaces, uplinks }) => {
        if (dockerUser === null) return notApplicable("there is no DOCKER-USER chain");
        const named = dockerUser.flatMap((rule) =>
          [...rule.matchAll(/ -i (\S+)/g)].map((match) => match[1] ?? ""),
        );
        const missing = [...new Set(named)].filter(
          (name) => !name.endsWith("+") && !interfaces.includes(name),
        );
        const other =
          named.length > 0 && !named.some((name) => uplinks.includes(name))
            ? [`none of ${named.join(", ")} is the way to the internet (${uplinks.join(", ")})`]
            : [];
        return passUnless(
          [...missing.map((name) => `there is no interface ${name}`), ...(missing.length === 0 ? other : [])],
          named.length === 0
            ? "no rule names an interface"
            : `named and there: ${[...new Set(named)].join(", ")}`,
        );
      }),
  },
  {
    id: "FW-014",
    layer: "firewall",
    severity: "high",
    title: "Docker's way of filtering is known",
    why: "with `iptables: false` containers lose their network or their isolation, and with the nft backend rules in DOCKER-USER do nothing",
    fix: "remove `iptables` from /etc/docker/daemon.json; let Seawall's own table decide: it works under both",
    looksAt: "docker info: FirewallBackend; daemon.json",
    judge: (facts) =>
      given(facts.docker, ({ settings, firewallBackend, version }) => {
        const off = ["iptables", "ip6tables"].filter((key) => settings[key] === false);
        const backend =
          firewallBackend ?? (settings["firewall-backend"] === "nftables" ? "nftables" : "iptables");
        const user = facts.firewall.kind === "read" ? facts.firewall.value.dockerUser : null;
        const idle =
          backend === "nftables" && (user?.length ?? 0) > 0
            ? ["rules in DOCKER-USER are not used by the nftables backend"]
            : [];
        return passUnless(
          [...off.filter((key) => key === "iptables").map(() => "daemon.json says iptables: false"), ...idle],
          `Docker ${version} filters by ${backend}`,
        );
      }),
  },
  {
    id: "FW-015",
    layer: "firewall",
    severity: "medium",
    title: "No rules in the old iptables beside nf_tables",
    why: "rules in two places look like one firewall and act like two, and half of them are not shown by either tool",
    fix: "iptables-legacy-save >old.rules; move what you need, then iptables-legacy -F",
    looksAt: "/proc/net/ip_tables_names, ip6_tables_names",
    judge: (facts) =>
      given(facts.firewall, ({ legacyTables }) =>
        passUnless(
          legacyTables.map((name) => `the old iptables holds table ${name}`),
          "the old iptables holds no table",
        ),
      ),
  },
  {
    id: "FW-017",
    layer: "firewall",
    severity: "info",
    title: "What is refused is logged, within limits",
    why: "without a log nobody knows who tried",
    fix: "ufw logging low",
    looksAt: "/etc/ufw/ufw.conf LOGLEVEL; Seawall logs what it judges",
    judge: (facts) =>
      given(facts.firewall, ({ ufw, seawall }) => {
        if (seawall.state === "enforcing" || seawall.state === "observing")
          return pass("Seawall logs every refused connection, at most 500 a second");
        return given(ufw, ({ logLevel, enabledInFile }) => {
          if (!enabledInFile) return fail("no firewall that logs is on");
          return passUnless(
            ["low", "medium"].includes(logLevel) ? [] : [`ufw logs at level ${logLevel}`],
            `ufw logs at level ${logLevel}`,
          );
        });
      }),
  },
  {
    id: "FW-018",
    layer: "firewall",
    severity: "info",
    title: "The host forwards packets only where something needs it",
    why: "a host that forwards can be used as a way into its other networks",
    fix: "sysctl -w net.ipv4.ip_forward=0 and remove it from /etc/sysctl.d",
    looksAt: "net.ipv4.ip_forward, net.ipv6.conf.all.forwarding, and whether Docker or Tailscale is there",
    judge: (facts) =>
      given(facts.firewall, ({ forwarding, interfaces }) => {
        const needs = [
          ...(facts.docker.kind !== "absent" ? ["Docker"] : []),
          ...(valueOr(facts.tailscale, { running: false, serves: [] }).running ? ["Tailscale"] : []),
          ...interfaces.filter((name) => /^(wg|virbr|lxdbr|podman|cni)/.test(name)),
        ];
        const on = [
          ...(forwarding.v4 ? ["net.ipv4.ip_forward is 1"] : []),
          ...(forwarding.v6 ? ["net.ipv6.conf.all.forwarding is 1"] : []),
        ];
        if (on.length === 0) return pass("forwarding is off");
        return passUnless(
          needs.length > 0 ? [] : on.map((line) => `${line}, and nothing here needs it`),
          `${on.join(", ")}, for ${needs.join(", ")}`,
        );
      }),
  },
];

function othersHaveRules(tables: {
  readonly kind: string;
  readonly value?: readonly { readonly name: string }[];
}): boolean {
  return tables.kind !== "read" || (tables.value ?? []).some(({ name }) => name !== "inet filter");
}
