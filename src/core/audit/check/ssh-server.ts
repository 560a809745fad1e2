/** Layer 1, the server itself: limits, forwarding, algorithms, keys, files and ports. */
import { type Check, fail, given, pass, passUnless, unknown } from "../check.ts";
import { modeText, othersMayWrite } from "../fact/file.ts";
import type { SshContext } from "../fact/ssh.ts";
import { byEvidence, forUsers } from "../failure.ts";
import { fixConfigOwners, fixDropIns, fixReload, fixSetting, fixTwoPorts } from "../fix/sshd.ts";
import { configuredPorts } from "../fix/way-in.ts";
import { hostKeyProblems, overruled, portLines, weakAlgorithms } from "./ssh-server-look.ts";
import { countOf, distinct, inEveryContext, valueOf, whoFrom } from "./ssh-option.ts";

const LOOKS = "sshd -T -C, for every login user and address that a Match block could tell apart";

export const SSH_SERVER_CHECKS: readonly Check[] = [
  {
    id: "SSH-007",
    layer: "ssh",
    severity: "low",
    title: "X11 forwarding is off",
    fails: "X11 forwarding is on",
    why: "a server has no screen, and the forwarded one gives away the keyboard of whoever logs in",
    fix: "`X11Forwarding no` in sshd_config, above every other value of it",
    remedy: (facts) =>
      fixSetting(facts, { settings: [{ keyword: "X11Forwarding", value: "no" }], proof: "nothing" }),
    looksAt: LOOKS,
    judge: (facts) => inEveryContext(facts, "x11forwarding", (value) => value === "no"),
  },
  {
    id: "SSH-008",
    layer: "ssh",
    severity: "low",
    title: "Forwarding is limited, and a tunnel to the gateway still works",
    fails: byEvidence("SSH forwards ports both ways", [
      /is refused/,
      "SSH refuses the tunnel to the gateway",
    ]),
    why: "`ssh -L` is the recommended way to the gateway; `ssh -R` opens ports of this server to others",
    fix: "`AllowTcpForwarding local` in sshd_config, above every other value of it",
    remedy: (facts) =>
      fixSetting(facts, {
        settings: [{ keyword: "AllowTcpForwarding", value: "local" }],
        proof: "nothing",
        first: ["This ends ssh -R, which some use as their way to a host behind NAT."],
      }),
    looksAt: LOOKS,
    judge: (facts) =>
      given(facts.ssh, (ssh) => {
        const values = new Set(ssh.contexts.map((context) => valueOf(context, "allowtcpforwarding") ?? ""));
        if (values.size === 1 && values.has("local"))
          return pass("allowtcpforwarding local: ssh -L works, ssh -R does not");
        const evidence = `allowtcpforwarding ${distinct(ssh, "allowtcpforwarding")}`;
        if (values.has("no"))
          return fail(`${evidence}: ssh -L to the gateway is refused`, { severity: "low" });
        return fail(evidence, { severity: "info" });
      }),
  },
  {
    id: "SSH-009",
    layer: "ssh",
    severity: "low",
    title: "Agent forwarding is off",
    fails: "Agent forwarding is on",
    why: "a forwarded key agent can be used by root, or by the agent's user, on this server",
    fix: "`AllowAgentForwarding no` in sshd_config, above every other value of it",
    remedy: (facts) =>
      fixSetting(facts, { settings: [{ keyword: "AllowAgentForwarding", value: "no" }], proof: "nothing" }),
    looksAt: LOOKS,
    judge: (facts) => inEveryContext(facts, "allowagentforwarding", (value) => value === "no"),
  },
  {
    id: "SSH-010",
    layer: "ssh",
    severity: "low",
    title: "A login has at most a minute",
    fails: "A login may take longer than a minute",
    why: "open connections that never log in use up the places of those who would",
    fix: "`LoginGraceTime 30` in sshd_config, above every other value of it",
    remedy: (facts) =>
      fixSetting(facts, {
        settings: [{ keyword: "LoginGraceTime", value: "30" }],
        proof: "nothing",
        wrong: (value) => Number(value) < 1 || Number(value) > 60,
      }),
    looksAt: LOOKS,
    judge: (facts) =>
      inEveryContext(facts, "logingracetime", (value) => Number(value) >= 1 && Number(value) <= 60),
  },
  {
    id: "SSH-011",
    layer: "ssh",
    severity: "low",
    title: "New connections are throttled",
    fails: "New connections are not throttled",
    why: "without a limit one address can keep every place of the door busy",
    fix: "`MaxStartups 10:30:60` in sshd_config, above every other value of it",
    remedy: (facts) =>
      fixSetting(facts, { settings: [{ keyword: "MaxStartups", value: "10:30:60" }], proof: "nothing" }),
    looksAt: LOOKS,
    judge: (facts) =>
      inEveryContext(facts, "maxstartups", (value) => {
        const [start = 0, , full = Number.POSITIVE_INFINITY] = value.split(":").map(Number);
        return start <= 10 && full <= 100;
      }),
  },
  {
    id: "SSH-012",
    layer: "ssh",
    severity: "low",
    title: "Dead sessions are ended",
    fails: "Dead sessions stay open",
    why: "a session whose client is gone stays open for whoever finds it",
    fix: "`ClientAliveInterval 300` and `ClientAliveCountMax 2` in sshd_config, above every other value of it",
    remedy: (facts) =>
      fixSetting(facts, {
        settings: [
          { keyword: "ClientAliveInterval", value: "300" },
          { keyword: "ClientAliveCountMax", value: "2" },
        ],
        proof: "nothing",
      }),
    looksAt: LOOKS,
    judge: (facts) =>
      given(facts.ssh, (ssh) =>
        passUnless(
          ssh.contexts.flatMap((context) => {
            const [interval, count] = [
              number(context, "clientaliveinterval"),
              number(context, "clientalivecountmax"),
            ];
            if (interval >= 15 && interval <= 600 && count >= 1 && count <= 3) return [];
            return [`clientaliveinterval ${interval}, clientalivecountmax ${count} ${whoFrom(context)}`];
          }),
          `clientaliveinterval ${distinct(ssh, "clientaliveinterval")} in ${countOf(ssh)}`,
        ),
      ),
  },
  {
    id: "SSH-013",
    layer: "ssh",
    severity: "medium",
    title: "No weak algorithm is offered",
    fails: "SSH offers weak algorithms",
    why: "old algorithms let somebody who records the traffic read or change it",
    fix: "`Ciphers -*-cbc,3des*` and `MACs -hmac-sha1*,umac-64*` and `KexAlgorithms -diffie-hellman-group*-sha1,diffie-hellman-group14-sha256` in sshd_config, above every other value of it",
    remedy: (facts) =>
      fixSetting(facts, {
        settings: [
          { keyword: "Ciphers", value: "-*-cbc,3des*" },
          { keyword: "MACs", value: "-hmac-sha1*,umac-64*" },
          { keyword: "KexAlgorithms", value: "-diffie-hellman-group*-sha1,diffie-hellman-group14-sha256" },
        ],
        proof: "nothing",
        wrong: () => true,
      }),
    looksAt: "sshd -T: kexalgorithms, ciphers, macs",
    judge: (facts) =>
      given(facts.ssh, (ssh) => {
        const weak = weakAlgorithms(ssh);
        return passUnless(
          weak,
          `kexalgorithms, ciphers and macs of sshd ${ssh.version ?? ""} hold no weak one`,
        );
      }),
  },
  {
    id: "SSH-014",
    layer: "ssh",
    severity: "high",
    title: "Host keys are strong and only root reads them",
    fails: "A host key is weak, or others may read it",
    why: "who has the host key can pose as this server to everybody who logs in",
    fix: "chmod 600 /etc/ssh/ssh_host_*_key; for a short one: ssh-keygen -t ed25519 -f /etc/ssh/ssh_host_ed25519_key",
    looksAt: "the files sshd -T names as hostkey: stat and ssh-keygen -l",
    judge: (facts) =>
      given(facts.ssh, (ssh) => {
        if (ssh.hostKeys.length === 0)
          return unknown("no host key could be read", "sudo seawall audit --layer ssh");
        return passUnless(
          ssh.hostKeys.flatMap(hostKeyProblems),
          ssh.hostKeys.map(
            (key) => `${key.path}: ${key.type ?? "?"} ${key.bits ?? "?"} bits, ${modeText(key.mode)}`,
          ),
        );
      }),
  },
  {
    id: "SSH-015",
    layer: "ssh",
    severity: "high",
    title: "Only root may write sshd's configuration",
    fails: "Others than root may write sshd's configuration",
    why: "sshd itself does not mind a drop-in that everybody may write, and root follows what it says",
    fix: "chown root:root and chmod go-w the files that are named",
    remedy: fixConfigOwners,
    looksAt: "stat of every file sshd reads",
    judge: (facts) =>
      given(facts.ssh, (ssh) =>
        passUnless(
          ssh.files
            .filter((file) => othersMayWrite(file) || file.gid !== 0)
            .map((file) => `${file.path}: ${modeText(file.mode)}, owner ${file.uid}:${file.gid}`),
          `${ssh.files.length} file(s), all of root`,
        ),
      ),
  },
  {
    id: "SSH-016",
    layer: "ssh",
    severity: "high",
    title: "Drop-ins are read, and say the last word",
    fails: "A drop-in of sshd does nothing",
    why: "without an Include line, or below an earlier value, a drop-in looks right and does nothing",
    fix: "read what the drop-ins would do once they are read, then put `Include /etc/ssh/sshd_config.d/*.conf` on the first line of /etc/ssh/sshd_config",
    remedy: fixDropIns,
    looksAt: "the files in sshd_config.d against sshd -T",
    judge: (facts) =>
      given(facts.ssh, (ssh) => {
        if (ssh.dropIns.length === 0) return pass("there is no drop-in that could be ignored");
        const read = new Set(ssh.files.map(({ path }) => path));
        const ignored = ssh.dropIns
          .filter((path) => !read.has(path))
          .map((path) => `${path} is not read by sshd`);
        return passUnless(
          [...ignored, ...overruled(ssh)],
          `${ssh.dropIns.length} drop-in(s), all read and in force`,
        );
      }),
  },
  {
    id: "SSH-018",
    layer: "ssh",
    severity: "high",
    title: "SSH listens where its configuration says",
    fails: "SSH listens elsewhere than its configuration says",
    why: "a new port that nobody listens on locks you out, an old one that is still open protects nothing",
    fix: "let every port of sshd_config in by the firewall, then have sshd read it; keep this session open",
    remedy: fixReload,
    looksAt: "the sockets of sshd, or of systemd for it, against the ports of sshd -T",
    judge: (facts) =>
      given(facts.ssh, (ssh) =>
        given(ssh.listening, (listening) => {
          const wanted = configuredPorts(ssh);
          const by = ssh.socketActivated ? "systemd for sshd" : "sshd";
          const missing = wanted
            .filter((port) => !listening.includes(port))
            .map((port) => `port ${port} is configured, nobody listens`);
          const extra = listening
            .filter((port) => !wanted.includes(port))
            .map((port) => `${by} listens on ${port}, which is not configured`);
          return passUnless([...missing, ...extra], `${by} listens on ${listening.join(", ")}`);
        }),
      ),
  },
  {
    id: "SSH-019",
    layer: "ssh",
    severity: "medium",
    title: "One port, not the old and the new",
    fails: byEvidence("SSH listens on more than one port", [
      /^ports 22 and /,
      "SSH still listens on port 22 beside its new port",
    ]),
    why: "the Port lines add up over all files, so the old port stays open beside the new one",
    fix: "log in by the port that stays, then remove the other Port line",
    remedy: fixTwoPorts,
    looksAt: "sshd -T: port",
    judge: (facts) =>
      given(facts.ssh, (ssh) => {
        const ports = configuredPorts(ssh);
        if (ports.length <= 1) return pass(`port ${ports.join("")}`);
        return fail([`ports ${ports.join(" and ")}`, ...portLines(ssh)]);
      }),
  },
  {
    id: "SSH-022",
    layer: "ssh",
    severity: "medium",
    title: "No user environment, tunnel device or gateway ports",
    fails: forUsers("A login may set its environment or open ports to others"),
    why: "each of them lets a login change what its programs load or open ports to others",
    fix: "`PermitUserEnvironment no` and `PermitTunnel no` and `GatewayPorts no` in sshd_config, above every other value of it",
    remedy: (facts) =>
      fixSetting(facts, {
        settings: [
          { keyword: "PermitUserEnvironment", value: "no" },
          { keyword: "PermitTunnel", value: "no" },
          { keyword: "GatewayPorts", value: "no" },
        ],
        proof: "nothing",
        first: ["This ends ssh -R to other addresses than loopback, which some use as their way in."],
      }),
    looksAt: LOOKS,
    judge: (facts) =>
      given(facts.ssh, (ssh) =>
        passUnless(
          ssh.contexts.flatMap((context) =>
            ["permituserenvironment", "permittunnel", "gatewayports"]
              .filter((option) => (valueOf(context, option) ?? "no") !== "no")
              .map((option) => `${option} ${valueOf(context, option) ?? ""} ${whoFrom(context)}`),
          ),
          `all three are no in ${countOf(ssh)}`,
        ),
      ),
  },
  {
    id: "SSH-024",
    layer: "ssh",
    severity: "medium",
    title: "The running sshd has read its files as they are",
    fails: "The running sshd has not read its files as they are",
    why: "a file that was changed and not loaded says what will be, not what is",
    fix: "sshd -t, then have it read its files: what they say since then takes effect, so a key must be proven first (SSH-020)",
    remedy: fixReload,
    looksAt:
      "when sshd last wrote its pid file (it does so at start and at each reload) against the files' times",
    judge: (facts) =>
      given(facts.ssh, (ssh) => {
        const { loadedMs } = ssh;
        if (ssh.socketActivated)
          return pass("systemd starts sshd for each connection, so it reads the files each time");
        if (loadedMs === null)
          return unknown(
            "sshd has no pid file, so when it read its files cannot be seen",
            "set PidFile in sshd_config",
          );
        return passUnless(
          ssh.files
            .filter(({ mtimeMs }) => mtimeMs > loadedMs)
            .map(({ path }) => `${path} is newer than the running sshd`),
          "every file is older than the running sshd's last reading",
        );
      }),
  },
];

function number(context: SshContext, option: string): number {
  return Number(valueOf(context, option) ?? 0);
}
