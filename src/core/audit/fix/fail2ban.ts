/** What mends Fail2Ban: whoever is logged in is let go and left alone before it bans anew. */
import { parseIp } from "../../net/ip.ts";
import type { Facts } from "../fact/facts.ts";
import { type Step, fixText, run, say } from "./fix.ts";
import { secondLogin, wayInOf } from "./way-in.ts";

const FOLDER = "/etc/fail2ban/jail.d";

export interface JailChange {
  /** The check, which names the file: two fixes that are pasted one after the other both hold. */
  readonly id: string;
  /** Lines below `[sshd]`. */
  readonly lines?: readonly string[];
  /** Commands before the file is written, for a Fail2Ban that is not there yet. */
  readonly before?: readonly string[];
  /** Restarts it, because it does not run or its bans are lost. */
  readonly restart?: "enable" | "restart";
}

/** Returns how the jail of sshd is changed on this host. */
export function fixJail(facts: Facts, { id, lines = [], before = [], restart }: JailChange): string {
  const { ports, sessions } = wayInOf(facts);
  const peers = [...new Set(sessions.map(({ peer }) => peer))].filter((peer) => parseIp(peer) !== undefined);
  const fail2ban = facts.fail2ban.kind === "read" ? facts.fail2ban.value : null;
  const jail = fail2ban?.sshd.kind === "read" ? fail2ban.sshd.value : null;
  const banned = peers.filter((peer) => jail?.banned.includes(peer));
  const ignored = [...new Set(["127.0.0.1/8", "::1", ...(jail?.ignored ?? []), ...peers])];
  const jailLines = [
    "[sshd]",
    "enabled = true",
    ...(ports.length > 0 ? [`port = ${ports.join(",")}`] : []),
    `ignoreip = ${ignored.filter((address) => /^[0-9a-fA-F:./]+$/.test(address)).join(" ")}`,
    ...lines,
  ];
  return fixText([
    say(
      peers.length > 0
        ? `Whoever is logged in now is never banned: ${peers.join(", ")}.`
        : "Add your own address to ignoreip before you go on, or a few mistyped logins shut you out.",
    ),
    ...banned.map((peer) => run(`fail2ban-client set sshd unbanip ${peer}`)),
    ...before.map(run),
    run(`mkdir -p ${FOLDER}`),
    run(
      `printf '%s\\n' ${jailLines.map((line) => `'${line}'`).join(" ")} >${FOLDER}/seawall-${id.toLowerCase()}.local`,
    ),
    ...load(facts, restart),
    ...secondLogin(facts),
  ]);
}

function load(facts: Facts, restart: JailChange["restart"]): Step[] {
  const runs = facts.fail2ban.kind === "read" && facts.fail2ban.value.running;
  if (restart === "enable" || !runs) return [run("fail2ban-client -t && systemctl enable --now fail2ban")];
  // Restarted by its own client under systemd it would run beside its unit.
  const hasSystemd = facts.firewall.kind === "read" && facts.firewall.value.managers.kind === "read";
  const anew = hasSystemd ? "systemctl restart fail2ban" : "fail2ban-client restart";
  return [run(`fail2ban-client -t && ${restart === "restart" ? anew : "fail2ban-client reload"}`)];
}

/** F2B-001: Fail2Ban is not here, does not run, or has no jail for sshd. */
export function fixNoJail(facts: Facts): string {
  const isMissing = facts.fail2ban.kind === "absent";
  return fixJail(facts, {
    id: "F2B-001",
    lines: ["backend = systemd"],
    before: isMissing ? ["apt-get install -y fail2ban python3-systemd"] : [],
    ...(isMissing ? { restart: "enable" } : {}),
  });
}

/** F2B-007: an action whose program is here. */
export function fixAction(facts: Facts): string {
  const fail2ban = facts.fail2ban.kind === "read" ? facts.fail2ban.value : null;
  const action = fail2ban?.hasNft === true ? "nftables-multiport" : "iptables-multiport";
  return fixJail(facts, { id: "F2B-007", lines: [`banaction = ${action}`] });
}
