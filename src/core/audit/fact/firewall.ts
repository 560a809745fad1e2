import type { Table } from "../filter/model.ts";
import type { Reading } from "../reading.ts";

export interface UfwFacts {
  /** `ENABLED=yes` in ufw.conf: what the next boot does. */
  readonly enabledInFile: boolean;
  /** Whether INPUT goes to ufw's chains in the kernel, for IPv4 and IPv6. */
  readonly inKernel4: boolean;
  readonly inKernel6: boolean;
  /** The unit at boot; `unreadable` without systemd. */
  readonly atBoot: Reading<boolean>;
  readonly ipv6: boolean;
  /** DEFAULT_INPUT_POLICY and DEFAULT_FORWARD_POLICY, in lower case. */
  readonly incoming: string;
  readonly routed: string;
  readonly logLevel: string;
  /** Rules of user.rules and user6.rules as ufw writes them: `allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in`. */
  readonly rules: readonly string[];
}

export interface FirewallManager {
  readonly name: "nftables" | "ufw" | "firewalld" | "netfilter-persistent" | "iptables";
  readonly atBoot: boolean;
  readonly running: boolean;
  /** Whether stopping its unit deletes everybody's rules (Debian's nftables.service: ExecStop=nft flush ruleset). */
  readonly flushesAtStop: boolean;
}

export interface FirewallFacts {
  /** Every table of the kernel, nft's and iptables'. */
  readonly tables: Reading<readonly Table[]>;
  readonly ufw: Reading<UfwFacts>;
  readonly managers: Reading<readonly FirewallManager[]>;
  /** Whether the file that nftables.service loads begins by deleting everybody's rules. */
  readonly nftablesFlushes: boolean;
  /** Tables that this file itself defines: `inet filter`. */
  readonly nftablesTables: readonly string[];
  /** Interfaces of a default route, for IPv4 and IPv6. */
  readonly uplinks: readonly string[];
  readonly interfaces: readonly string[];
  /** IPv4 and IPv6 addresses of the uplinks. */
  readonly addresses: readonly string[];
  /** Whether packets of IPv6 can reach this host at all. */
  readonly hasIpv6: boolean;
  /** Tables of the old iptables (not nf_tables) that hold a rule or a policy, or that nobody can read. */
  readonly legacyTables: readonly string[];
  /** Rules of DOCKER-USER as iptables-save prints them; null when there is no such chain. */
  readonly dockerUser: readonly string[] | null;
  readonly forwarding: { readonly v4: boolean; readonly v6: boolean };
  /** What this firewall holds itself. */
  readonly seawall: {
    readonly state: string;
    readonly outbound: "enforce" | "observe" | null;
    /** The policy file that is installed; null when there is none. */
    readonly policyFile: string | null;
  };
}
