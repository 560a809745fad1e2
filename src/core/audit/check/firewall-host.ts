/** Layer 2, who else decides: UFW, iptables, Docker's chains, other managers. */
import { type Check, fail, given, notApplicable, pass, passUnless, unknown } from "../check.ts";
import { valueOr } from "../reading.ts";
import { byEvidence } from "../failure.ts";
import { fixIpv6Open, fixLogging, fixUfwOff, isClosedByDefault } from "../fix/firewall.ts";
import { fixLegacy, fixManagers, loaders } from "../fix/manager.ts";
import { possibleAt, packetOf } from "../filter/evaluate.ts";
import { reachOfPort } from "./world.ts";

export const FIREWALL_HOST_CHECKS: readonly Check[] = [
  {
    id: "FW-002",
    layer: "firewall",
    severity: "high",
    title: "UFW is on now and after the next boot",
    fails: byEvidence(
      "UFW does not start at boot",
      [/ENABLED=no/, "UFW is off"],
      [/INPUT of the kernel/, "UFW is on in its file and off in the kernel"],
    ),
    why: "a firewall that is on in its file and off in the kernel, or the other way round, protects until the next boot at best",
    fix: "let sshd's own ports in by UFW's rules, then turn it on",
    remedy: fixUfwOff,
    looksAt: "/etc/ufw/ufw.conf, the kernel's INPUT chain, systemctl is-enabled ufw",
    judge: (facts) =>
      given(facts.firewall, (firewall) => {
        if (firewall.ufw.kind === "absent" && firewall.seawall.state === "enforcing")
          return notApplicable("Seawall enforces; there is no UFW");
        return given(firewall.ufw, (ufw) => {
          if (!ufw.enabledInFile && !ufw.inKernel4 && firewall.seawall.state === "enforcing")
            return notApplicable("UFW is off, and Seawall enforces in its place");
          if (!ufw.enabledInFile && !ufw.inKernel4 && isClosedByDefault(firewall))
            return notApplicable("UFW is off, and another firewall of this host drops in its place");
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
    fails: "IPv6 is open where IPv4 is filtered, or filtered by nobody",
    why: "rules for IPv4 alone leave the same ports open at the server's other address",
    fix: "IPV6=yes in /etc/default/ufw, with sshd's ports let in for IPv6 too; or enforce a Seawall policy, which judges both",
    remedy: fixIpv6Open,
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
    fails: byEvidence("Connections over loopback are dropped", [
      /route_localnet/,
      "Packets for 127.0.0.1 are taken from outside",
    ]),
    why: "a packet that claims to be from this host could reach what listens only for it",
    fix: "a first rule that accepts interface lo; and sysctl -w net.ipv4.conf.all.route_localnet=0",
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
    fails: byEvidence("A unit deletes everybody's firewall rules", [
      /^several/,
      "Several programs manage the firewall",
    ]),
    why: "two managers undo each other, and `flush ruleset` wipes UFW, Docker, Fail2Ban and Seawall at once",
    fix: "leave one program that loads rules enabled; disable the others for the next start, never at once: a stopped nftables.service deletes everybody's rules",
    remedy: fixManagers,
    looksAt: "which units load rules at boot or now, and the file that nftables.service loads",
    judge: (facts) =>
      given(facts.firewall, (firewall) =>
        given(firewall.managers, (managers) => {
          const loading = loaders(managers);
          const active = loading.map(({ name }) => name);
          const nft = active.includes("nftables");
          const stops = loading.some(({ flushesAtStop }) => flushesAtStop);
          return passUnless(
            [
              ...(active.length > 1 ? [`several load rules: ${active.join(", ")}`] : []),
              ...(nft && firewall.nftablesFlushes && othersHaveRules(firewall.tables)
                ? ["nftables.service flushes every table when it is started or reloaded"]
                : []),
              ...(nft && stops && othersHaveRules(firewall.tables)
                ? ["nftables.service flushes every table when it is stopped, or its package is upgraded"]
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
    fails: "Rules in DOCKER-USER let through by the container's port",
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
    fails: "DOCKER-USER names an interface that carries nothing",
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
    fails: byEvidence("Docker does not filter", [
      /DOCKER-USER/,
      "Docker does not use the rules in DOCKER-USER",
    ]),
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
    fails: "The old iptables holds rules beside nf_tables",
    why: "rules in two places look like one firewall and act like two, and half of them are not shown by either tool",
    fix: "keep the old rules until another firewall closes ports; then set their policies to accept before they are taken out",
    remedy: fixLegacy,
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
    fails: "What is refused is not logged as it should be",
    why: "without a log nobody knows who tried",
    fix: "a firewall that logs, within limits: UFW's level low, or a Seawall policy",
    remedy: (facts) => fixLogging(facts),
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
    fails: "The host forwards packets, and nothing needs it",
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
