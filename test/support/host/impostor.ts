import type { ChildProcess } from "node:child_process";
import { eventually } from "./eventually.ts";
import type { Host } from "./host.ts";

export type ImpostorWanted = {
  /** What it calls itself: its command name and its whole command line. */
  readonly name: string;
  readonly uid: number;
  readonly port: number;
  /** `::` takes IPv6 alone. */
  readonly address?: string;
  /** What a child of it calls itself. */
  readonly child?: string;
  /** Words before its own, such as `unshare` or `nsenter`. */
  readonly inside?: readonly string[];
};

export type Impostor = {
  readonly child: ChildProcess;
  readonly stop: () => Promise<void>;
};

const SCRIPT = `
use Socket qw(:all);
my ($name, $address, $port, $child) = @ARGV;
$0 = $name;
my $v6 = $address =~ /:/;
socket(my $s, $v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0) or die "socket $!";
setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1);
setsockopt($s, SOL_SOCKET, 15, 1);
setsockopt($s, 41, 26, 1) if $v6;
my $place = $v6 ? pack_sockaddr_in6($port, inet_pton(AF_INET6, $address)) : pack_sockaddr_in($port, inet_aton($address));
bind($s, $place) or die "bind $!";
listen($s, 64) or die "listen $!";
$| = 1;
print "listening as $$\\n";
my @held;
if (length $child && !fork) { $0 = $child; sleep 600; exit; }
while (accept(my $c, $s)) { syswrite($c, "the agent talks\\n"); push @held, $c; }
`;

/** Starts a process that calls itself what it likes, listens, and answers whoever comes. It ends with the host. */
export async function startImpostor(host: Host, wanted: ImpostorWanted): Promise<Impostor> {
  const { name, uid, port, address = "0.0.0.0", child: below = "", inside = [] } = wanted;
  const who = uid === 0 ? [] : ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"];
  const child = host.start([...inside, ...who, "perl", "-e", SCRIPT, name, address, String(port), below]);
  child.stdin?.end();
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => (said += text));
  const state = async () => /listening as \d+\n/.test(said) || child.exitCode !== null;
  await eventually(state, true, 30_000);
  const pid = /listening as (\d+)\n/.exec(said)?.[1];
  if (pid === undefined) throw new Error(`${name} does not listen on ${address}:${port}: ${said}`);
  return {
    child,
    stop: async () => {
      // A change of uid takes the parent's death signal away, so it is ended by its number.
      await host.shell(`pkill -KILL -P ${pid} || :; kill -KILL ${pid}`);
      await eventually(async () => child.exitCode !== null || child.signalCode !== null, true);
    },
  };
}
