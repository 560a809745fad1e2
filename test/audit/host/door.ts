/** A host with the real sshd on its own files, and people who come in from the internet by key or by password. */
import { type Finished, describe } from "../../support/host/command.ts";
import { eventually } from "../../support/host/eventually.ts";
import { type Host, HOST4, startHost } from "../../support/host/host.ts";
import { SEAWALL, SEAWALL_WORDS } from "../../support/host/seawall.ts";
import type { Audited, Seen } from "./audit-on.ts";

/** Where the operator sits. */
const HOME4 = "198.51.100.7";
const LOGIN_DEADLINE_MS = 60_000;
const AUDIT_DEADLINE_MS = 120_000;
const PASSWORD = "a long password of this test";

export interface Login {
  readonly user?: "root" | "ann";
  readonly by?: "key" | "password";
  readonly port?: number;
  /** An address of the host; IPv4 unless given. */
  readonly to?: string;
}

export interface Door {
  readonly host: Host;
  /** Runs a command over a new login, and returns how it ended. */
  readonly login: (login: Login, command: string, input?: string) => Promise<Finished>;
  /** Looks at the host over a login, as an operator does. */
  readonly audit: (login: Login, ids: readonly string[]) => Promise<Audited>;
  readonly stop: () => Promise<void>;
}

export interface DoorWanted {
  /** Text of /etc/ssh/sshd_config. */
  readonly sshd: string;
  readonly dropIns?: Readonly<Record<string, string>>;
  /** Run before sshd starts. */
  readonly script?: string;
  /** Who has the operator's key. */
  readonly keys?: readonly ("root" | "ann")[];
}

/** Starts the host. `ann` may become root by sudo; both have a password. */
export async function startDoor({ sshd, dropIns = {}, script = "", keys = [] }: DoorWanted): Promise<Door> {
  const host = await startHost();
  try {
    await host.shell(SET_UP);
    await host.shell("cat >/etc/ssh/sshd_config", { input: `${sshd}\n${ALWAYS}` });
    for (const [name, text] of Object.entries(dropIns))
      await host.shell(`cat >/etc/ssh/sshd_config.d/${name}`, { input: text });
    for (const user of keys)
      await host.shell(
        `h=~${user}; mkdir -p -m 700 "$h/.ssh"; cat /run/client/key.pub >>"$h/.ssh/authorized_keys"; chown -R ${user}: "$h"; chmod 600 "$h/.ssh/authorized_keys"`,
      );
    await host.shell(script === "" ? ":" : script);
    await host.upstream.own(HOME4);
    host.start(["/usr/sbin/sshd", "-D", "-e"]);
    const ready = await eventually(async () => (await host.run(["test", "-s", "/run/sshd.pid"])).code, 0);
    if (ready !== 0) throw new Error("sshd did not start");
    return door(host);
  } catch (error) {
    await host.stop();
    throw error;
  }
}

function door(host: Host): Door {
  const login: Door["login"] = (wanted, command, input = "") =>
    host.upstream.run(argv(wanted, command), {
      input,
      deadlineMs: LOGIN_DEADLINE_MS,
      env: { SSH_ASKPASS: "/run/client/askpass", SSH_ASKPASS_REQUIRE: "force", DISPLAY: ":0" },
    });
  return {
    host,
    login,
    audit: async (wanted, ids) => {
      const sudo = wanted.user === "ann" ? "sudo -n " : "";
      const command = `${sudo}${SEAWALL_WORDS} audit --json --no-history --quick --check ${ids.join(",")}`;
      const result = await host.upstream.run(argv(wanted, command), {
        deadlineMs: AUDIT_DEADLINE_MS,
        env: { SSH_ASKPASS: "/run/client/askpass", SSH_ASKPASS_REQUIRE: "force", DISPLAY: ":0" },
      });
      return findings(result);
    },
    stop: () => host.stop(),
  };
}

/** The same look from the machine's own console, where nobody is logged in over SSH. */
export async function consoleAudit({ host }: Door, ids: readonly string[]): Promise<Audited> {
  return findings(
    await host.run([...SEAWALL, "audit", "--json", "--no-history", "--quick", "--check", ids.join(",")], {
      deadlineMs: AUDIT_DEADLINE_MS,
    }),
  );
}

function findings(result: Finished): Audited {
  if (result.code !== 0 && result.code !== 1) throw new Error(`the audit: ${describe(result)}`);
  const { findings: all } = JSON.parse(result.stdout) as { findings: (Seen & { readonly id: string })[] };
  return Object.fromEntries(all.map((finding) => [finding.id, finding]));
}

function argv(
  { user = "root", by = "key", port = 22, to = HOST4 }: Login,
  command: string,
): readonly string[] {
  const auth =
    by === "key"
      ? ["-i", "/run/client/key", "-o", "BatchMode=yes"]
      : ["-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1"];
  const quiet = [
    "-F",
    "none",
    "-o",
    "StrictHostKeyChecking=no",
    "-o",
    "UserKnownHostsFile=/dev/null",
    "-o",
    "LogLevel=ERROR",
  ];
  const from = to.includes(":") ? [] : ["-b", HOME4];
  return [
    "ssh",
    ...quiet,
    ...auth,
    ...from,
    "-o",
    "ConnectTimeout=5",
    "-o",
    "ServerAliveInterval=10",
    "-p",
    String(port),
    `${user}@${to}`,
    "--",
    command,
  ];
}

/** What every file of these hosts ends with: names in place of the machine's, commands of the checkout. */
const ALWAYS = `UsePAM no
UseDNS no
PidFile /run/sshd.pid
HostKey /etc/ssh/ssh_host_ed25519_key
SetEnv PATH=/run/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
`;

const SET_UP = `mkdir -p -m 755 /run/sshd /run/bin
mkdir -p -m 700 /run/client
rm -rf /etc/ssh/sshd_config /etc/ssh/sshd_config.d /etc/ssh/ssh_host_* /etc/sudoers.d; mkdir -p /etc/ssh/sshd_config.d /etc/sudoers.d
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
ssh-keygen -q -t ed25519 -N '' -f /run/client/key
printf '#!/bin/sh\\necho "${PASSWORD}"\\n' >/run/client/askpass; chmod 755 /run/client/askpass
printf '#!/bin/sh\\nexec %s "$@"\\n' "${SEAWALL_WORDS}" >/run/bin/seawall; chmod 755 /run/bin/seawall
secret=$(openssl passwd -6 '${PASSWORD}')
sed -i "s|^root:[^:]*:\\(.*\\):[^:]*:\\([^:]*\\)$|root:x:\\1:/run/home/root:\\2|; s|^root:x:0:0:\\([^:]*\\):.*|root:x:0:0:\\1:/run/home/root:/bin/sh|" /etc/passwd
sed -i "s|^root:[^:]*:|root:$secret:|" /etc/shadow
echo 'ann:x:4801:4801::/run/home/ann:/bin/sh' >>/etc/passwd; echo 'ann:x:4801:' >>/etc/group
echo "ann:$secret:19000:0:99999:7:::" >>/etc/shadow
mkdir -p -m 700 /run/home/ann; chown 4801:4801 /run/home/ann
echo 'ann ALL=(ALL:ALL) NOPASSWD: ALL' >/etc/sudoers.d/ann; chmod 440 /etc/sudoers.d/ann
`;
