import { eventually } from "./eventually.ts";
import { HOST4, type Host } from "./host.ts";
import type { Said } from "./session.ts";

const TYPE_DEADLINE_MS = 30_000;
const TMUX = ["tmux", "-L", "mosh", "-f", "/dev/null"] as const;

/** Mosh's own ports; the policy must allow them. */
export const MOSH_PORTS = "udp/60000-61000";

export type Mosh = { readonly type: (command: string) => Promise<Said>; readonly close: () => Promise<void> };

/** Logs in as root by real mosh (a terminal of tmux in the upstream): ssh is gone once the shell is there. */
export async function openMosh(host: Host): Promise<Mosh> {
  const ssh = host.ssh.argv("").slice(0, -1).join(" ");
  const client = `mosh --bind-server=any --ssh='${ssh}' root@${HOST4} -- sh`;
  await host.upstream.run([...TMUX, "new-session", "-d", "-x", "200", "-y", "50", client]);
  const type = (command: string) => typeIn(host, command);
  const server = async () => (await host.run(["pgrep", "-x", "mosh-server"])).code;
  if ((await eventually(server, 0)) !== 0) throw new Error("mosh-server did not start");
  await type("true");
  return { type, close: async () => void (await host.upstream.run([...TMUX, "kill-server"])) };
}

async function typeIn(host: Host, command: string): Promise<Said> {
  await host.shell("rm -f /run/tmp/mosh-said /run/tmp/mosh-code");
  const line = `{ ${command}; } >/run/tmp/mosh-said 2>&1; echo $? >/run/tmp/mosh-code`;
  const ended = async () => (await host.run(["test", "-s", "/run/tmp/mosh-code"])).code;
  // What is typed before the shell listens is kept by the terminal.
  await host.upstream.run([...TMUX, "send-keys", line, "Enter"]);
  if ((await eventually(ended, 0, TYPE_DEADLINE_MS)) !== 0) throw new Error(`${command}: no end over mosh`);
  const text = await host.shell("cat /run/tmp/mosh-said");
  return { code: Number(await host.shell("cat /run/tmp/mosh-code")), text };
}
