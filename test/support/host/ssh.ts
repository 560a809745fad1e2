import { setTimeout as sleep } from "node:timers/promises";
import { type Finished, type RunOptions, runOk, start } from "./command.ts";
import { ENVIRONMENT, type Namespace } from "./namespace.ts";
import type { Upstream } from "./upstream.ts";

const START_DEADLINE_MS = 5_000;
const KEY = "/run/ssh-client/key";

export type SshWanted = { readonly ports: readonly number[] };

export type SshOptions = RunOptions & {
  /** Source address in the upstream. */
  readonly from?: string;
  readonly user?: "root" | "operator";
  readonly port?: number;
  readonly to?: string;
  /** More arguments of ssh, before the host: `-L`, `-o ControlPath=...`. */
  readonly args?: readonly string[];
};

export type Ssh = {
  /** Runs `command` (one shell line) on the host by a real ssh login with a key from the upstream. */
  readonly run: (command: string, options?: SshOptions) => Promise<Finished>;
  /** The ssh command line that `run` would use. */
  readonly argv: (command: string, options?: SshOptions) => readonly string[];
};

/** Starts the real sshd in the namespace with keys of its own, for `root` and for `operator` (who may sudo). */
export async function startSsh(
  namespace: Namespace,
  upstream: Upstream,
  address: string,
  wanted: SshWanted,
): Promise<Ssh> {
  await runOk(namespace.inside(["sh", "-euc", SET_UP]), { env: ENVIRONMENT });
  const ports = wanted.ports.flatMap((port) => ["-o", `Port=${port}`]);
  const daemon = start(namespace.inside(["/usr/sbin/sshd", "-D", "-e", "-f", "/run/ssh/config", ...ports]), {
    env: ENVIRONMENT,
    cwd: "/",
  });
  let said = "";
  daemon.stdin?.end();
  daemon.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-20_000);
  });
  const limit = Date.now() + START_DEADLINE_MS;
  while (!said.includes("Server listening")) {
    if (daemon.exitCode !== null || Date.now() > limit) throw new Error(`sshd did not start:\n${said}`);
    await sleep(20);
  }
  const first = wanted.ports[0] ?? 22;
  const argv = (command: string, options: SshOptions = {}) =>
    clientArguments(command, address, first, options);
  return {
    argv,
    run: async (command, options = {}) => {
      if (options.from !== undefined) await upstream.own(options.from);
      return upstream.run(argv(command, options), options);
    },
  };
}

function clientArguments(
  command: string,
  address: string,
  port: number,
  options: SshOptions,
): readonly string[] {
  const trust = [
    "-o",
    "StrictHostKeyChecking=no",
    "-o",
    "UserKnownHostsFile=/dev/null",
    "-o",
    "LogLevel=ERROR",
  ];
  const quick = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "-F", "none", "-i", KEY];
  const from = options.from === undefined ? [] : ["-b", options.from];
  const place = ["-p", String(options.port ?? port), ...(options.args ?? [])];
  const peer = `${options.user ?? "root"}@${options.to ?? address}`;
  return ["ssh", ...quick, ...trust, ...from, ...place, peer, ...(command === "" ? [] : ["--", command])];
}

const SET_UP = `
mkdir -p -m 755 /run/sshd /run/ssh /run/ssh/keys /run/home/operator
mkdir -p -m 700 /run/ssh-client
ssh-keygen -q -t ed25519 -N '' -f /run/ssh/host_key
ssh-keygen -q -t ed25519 -N '' -f ${KEY}
for user in root operator; do cp ${KEY}.pub /run/ssh/keys/$user; done
chmod 644 /run/ssh/keys/*
echo 'operator:x:4800:4800:operator:/run/home/operator:/bin/bash' >>/etc/passwd
echo 'operator:x:4800:' >>/etc/group
echo 'operator:*:19000:0:99999:7:::' >>/etc/shadow
chown 4800:4800 /run/home/operator
mkdir -p /etc/sudoers.d
echo 'operator ALL=(ALL:ALL) NOPASSWD: ALL' >/etc/sudoers.d/operator
chmod 440 /etc/sudoers.d/operator
cat >/run/ssh/config <<'CONFIG'
HostKey /run/ssh/host_key
AuthorizedKeysFile /run/ssh/keys/%u
PidFile /run/ssh/pid
StrictModes no
UsePAM no
UseDNS no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AllowTcpForwarding yes
GatewayPorts clientspecified
PrintMotd no
SetEnv TMUX_TMPDIR=/run/tmp TMPDIR=/run/tmp LC_ALL=C.UTF-8
CONFIG
`;
