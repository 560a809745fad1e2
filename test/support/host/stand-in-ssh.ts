import { finished, start } from "./command.ts";
import { ENVIRONMENT, type Namespace } from "./namespace.ts";

const READY = "listening\n";
const START_DEADLINE_MS = 30_000;

/** The host's SSH is known by its file: what plays it lies where the package has sshd, in this namespace alone. */
const PLACE = `
mkdir -p /run/ssh-stand-in/upper /run/ssh-stand-in/work
mount -t overlay -o lowerdir=/usr/sbin,upperdir=/run/ssh-stand-in/upper,workdir=/run/ssh-stand-in/work overlay /usr/sbin
cp --remove-destination /usr/bin/perl /usr/sbin/sshd
`;

const ECHO = `
use Socket qw(:all);
socket(my $s, AF_INET6, SOCK_STREAM, 0) or die $!;
setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1);
bind($s, pack_sockaddr_in6($ARGV[0], inet_pton(AF_INET6, "::"))) or die $!;
listen($s, 512) or die $!;
$| = 1;
print "listening\\n";
my %open;
for (;;) {
  my $wanted = "";
  vec($wanted, fileno($_), 1) = 1 for $s, values %open;
  select(my $ready = $wanted, undef, undef, undef) > 0 or next;
  if (vec($ready, fileno($s), 1) && accept(my $c, $s)) { $open{fileno($c)} = $c; }
  for my $c (grep { vec($ready, fileno($_), 1) } values %open) {
    my $n = sysread($c, my $text, 65536);
    if ($n) { syswrite($c, $text); } else { delete $open{fileno($c)}; close($c); }
  }
}
`;

/** Starts an echo service on both families that is this host's SSH to whoever looks at the kernel's facts. */
export async function startStandInSsh(namespace: Namespace, port: number): Promise<void> {
  const options = { env: ENVIRONMENT, cwd: "/" };
  const placed = start(namespace.inside(["sh", "-euc", PLACE]), options);
  const { code, stderr } = await finished(placed, START_DEADLINE_MS);
  if (code !== 0) throw new Error(`there is no place for a stand-in of sshd: ${stderr}`);
  const child = start(namespace.inside(["/usr/sbin/sshd", "-e", ECHO, String(port)]), options);
  child.stdin?.end();
  await new Promise<void>((resolve, reject) => {
    let said = "";
    const hear = (text: string) => {
      said += text;
      if (said.includes(READY)) resolve();
    };
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", hear);
    child.once("close", () => reject(new Error(`the stand-in of sshd ended: ${said}`)));
  });
}
