/** What is ordinary on a machine and what is as good as root. */

/** Groups whose members can become root, and by what. */
export const POWERFUL_GROUPS: ReadonlyMap<string, string> = new Map([
  ["root", "files that root's group may write"],
  ["sudo", "sudo"],
  ["wheel", "sudo or su"],
  ["admin", "sudo"],
  ["google-sudoers", "sudo"],
  ["docker", "the Docker socket, which starts containers as root"],
  ["podman", "the Podman socket"],
  ["containerd", "the containerd socket"],
  ["lxd", "LXD, which starts containers as root"],
  ["lxc", "LXC"],
  ["incus", "Incus"],
  ["incus-admin", "Incus, which starts containers as root"],
  ["libvirt", "libvirt, which starts machines as root"],
  ["libvirt-qemu", "libvirt"],
  ["disk", "the disks themselves"],
  ["kmem", "the memory of the kernel"],
  ["shadow", "the password hashes"],
  ["microk8s", "Kubernetes, which starts containers as root"],
]);

/** Groups that only read what may hold secrets: logs, the journal. */
export const READING_GROUPS: ReadonlySet<string> = new Set(["adm", "systemd-journal"]);

/**
 * capabilities(7) with which a process sends as another user, past the packet filter (packet sockets, net_raw),
 * changes it, or becomes root. The others (net_bind_service, sys_nice ...) leave it who it is.
 */
export const POWERFUL_CAPABILITIES: ReadonlySet<string> = new Set([
  "chown",
  "dac_override",
  "dac_read_search",
  "fowner",
  "setgid",
  "setuid",
  "setpcap",
  "net_admin",
  "net_raw",
  "sys_module",
  "sys_rawio",
  "sys_ptrace",
  "sys_admin",
  "mknod",
  "setfcap",
  "mac_admin",
  "mac_override",
  "bpf",
  "perfmon",
  "checkpoint_restore",
]);

/** capability.h: the bits in the order of their numbers. */
const CAPABILITY_NAMES = (
  "chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable " +
  "net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot " +
  "sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease " +
  "audit_write audit_control setfcap mac_override mac_admin syslog wake_alarm block_suspend audit_read " +
  "perfmon bpf checkpoint_restore"
).split(" ");

/** Returns the names of the capabilities in a mask of proc(5), which is hexadecimal; an unknown bit by its number. */
export function capabilityNames(mask: string): string[] {
  const bits = BigInt(`0x${mask}`);
  return Array.from({ length: 64 }, (_, bit) => bit)
    .filter((bit) => (bits & (1n << BigInt(bit))) !== 0n)
    .map((bit) => CAPABILITY_NAMES[bit] ?? `capability-${bit}`);
}

/** Programs that Debian, Ubuntu and Fedora ship setuid or setgid, or with capabilities, by their names. */
const ORDINARY_PROGRAMS: ReadonlySet<string> = new Set(
  (
    "su sudo sudoedit sudo-rs su-rs passwd gpasswd newgrp chsh chfn chage expiry mount umount fusermount " +
    "fusermount3 mount.nfs mount.cifs ntfs-3g pkexec polkit-agent-helper-1 dbus-daemon-launch-helper ssh-keysign " +
    "ssh-agent unix_chkpwd pam_extrausers_chkpwd pam_timestamp_check crontab at newuidmap newgidmap ping ping6 " +
    "arping mtr-packet traceroute6.iputils bsd-write write.ul write wall screen utempter utmp dotlockfile snap-confine " +
    "snap-update-ns doas userhelper usernetctl grub2-set-bootflag gst-ptp-helper vmware-user-suid-wrapper " +
    "exim4 postdrop postqueue sendmail mlocate plocate locate Xorg.wrap chrome-sandbox clockdiff rsh-redone-rsh"
  ).split(" "),
);

/** Whether a program with more rights is one that distributions ship so, in a folder of the distribution. */
export function isOrdinaryProgram(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return /^\/(usr\/)?(s?bin|lib|lib64|libexec)\//.test(path) && ORDINARY_PROGRAMS.has(name);
}
