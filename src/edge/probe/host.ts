/** The host itself: kernel settings, clock, AppArmor, journal. */
import type { HostFacts } from "../../core/audit/fact/host.ts";
import { type Reading, read, unreadable } from "../../core/audit/reading.ts";
import { ask } from "./ask.ts";
import { namesIn, readText, stateAt, textOf } from "./file.ts";
import type { ProcessTable } from "./process.ts";
import { hasSystemd } from "./systemd.ts";

const SYSCTLS = [
  "kernel.kptr_restrict",
  "kernel.dmesg_restrict",
  "kernel.yama.ptrace_scope",
  "kernel.unprivileged_bpf_disabled",
  "fs.protected_hardlinks",
  "fs.protected_symlinks",
  "fs.protected_fifos",
  "fs.protected_regular",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.conf.all.accept_source_route",
  "net.ipv6.conf.all.accept_source_route",
  "net.ipv4.conf.all.accept_redirects",
  "net.ipv6.conf.all.accept_redirects",
  "net.ipv4.conf.all.rp_filter",
  "net.ipv4.conf.all.route_localnet",
  "net.ipv4.icmp_echo_ignore_broadcasts",
];

export async function readHost(table: ProcessTable): Promise<Reading<HostFacts>> {
  const timeSync = await readTimeSync(table);
  return read({
    sysctls: readSysctls(),
    timeSync,
    appArmor: readAppArmor(),
    journal: readJournal(table),
    virtual: readVirtual(),
  });
}

function readSysctls(): ReadonlyMap<string, string> {
  return new Map(
    SYSCTLS.flatMap((name) => {
      const content = readText(`/proc/sys/${name.replaceAll(".", "/")}`);
      return content.kind === "text" ? [[name, content.text.trim()] as const] : [];
    }),
  );
}

const CLOCK_PROGRAMS = /^(chronyd|ntpd|systemd-timesyn|openntpd|ntpd-rs)/;

async function readTimeSync(table: ProcessTable): Promise<HostFacts["timeSync"]> {
  const keeper = table.all.find(({ comm }) => CLOCK_PROGRAMS.test(comm))?.comm;
  if (hasSystemd()) {
    const synced = (
      await ask("timedatectl", ["show", "--property=NTPSynchronized", "--value"])
    )?.stdout.trim();
    if (synced === "yes")
      return read({
        synced: true,
        by: `the kernel's clock is synchronised${keeper === undefined ? "" : ` by ${keeper}`}`,
      });
    if (synced === "no")
      return read({
        synced: false,
        by:
          keeper === undefined
            ? "no program keeps the clock"
            : `${keeper} runs, and the clock is not synchronised yet`,
      });
  }
  const tracking = await ask("chronyc", ["-n", "tracking"]);
  if (tracking?.status === 0)
    return read({ synced: /Leap status\s*:\s*Normal/.test(tracking.stdout), by: "chronyc tracking" });
  if (keeper === undefined)
    return unreadable("no program of this host keeps the clock; the machine it runs on may", "timedatectl");
  return read({ synced: true, by: `${keeper} runs` });
}

function readAppArmor(): HostFacts["appArmor"] {
  const enabled = textOf("/sys/module/apparmor/parameters/enabled").trim();
  if (enabled !== "Y") return read({ enabled: false, enforced: 0 });
  const profiles = readText("/sys/kernel/security/apparmor/profiles");
  if (profiles.kind !== "text")
    return process.geteuid?.() === 0
      ? read({ enabled: true, enforced: 0 })
      : unreadable("the profiles of AppArmor are for root", "sudo seawall audit --layer host");
  return read({
    enabled: true,
    enforced: profiles.text.split("\n").filter((line) => line.endsWith("(enforce)")).length,
  });
}

function readJournal(table: ProcessTable): HostFacts["journal"] {
  const syslog = table.all.find(({ comm }) => /^(rsyslogd|syslog-ng|busybox-syslogd)$/.test(comm));
  if (syslog !== undefined) return read({ persistent: true, how: `${syslog.comm} writes logs to /var/log` });
  const text = [
    "/etc/systemd/journald.conf",
    ...namesIn("/etc/systemd/journald.conf.d").map((name) => `/etc/systemd/journald.conf.d/${name}`),
  ]
    .map(textOf)
    .join("\n");
  const storage = [...text.matchAll(/^\s*Storage=(\w+)/gm)].at(-1)?.[1] ?? "auto";
  const folder = stateAt("/var/log/journal") !== undefined;
  if (!table.all.some(({ comm }) => comm.startsWith("systemd-journal")))
    return read({ persistent: false, how: "neither a journal nor a syslog runs" });
  if (storage === "persistent" || (storage === "auto" && folder))
    return read({ persistent: true, how: `the journal is kept in /var/log/journal (Storage=${storage})` });
  return read({
    persistent: false,
    how: folder
      ? `Storage=${storage}: the journal is lost at a restart`
      : "there is no /var/log/journal: the journal is lost at a restart",
  });
}

/** The machine's own word (DMI) for what it is. */
function readVirtual(): string | null {
  const vendor = `${textOf("/sys/class/dmi/id/sys_vendor").trim()} ${textOf("/sys/class/dmi/id/product_name").trim()}`;
  const found =
    /QEMU|KVM|Amazon EC2|Google|Microsoft Corporation Virtual|DigitalOcean|Hetzner|Vultr|Linode|Xen|VMware|OpenStack|OVH/i.exec(
      vendor,
    )?.[0];
  return found ?? (textOf("/sys/hypervisor/type").trim() || null);
}
