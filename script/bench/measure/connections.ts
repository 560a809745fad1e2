/**
 * New TCP connections a second (HTTP without keep-alive, nginx and wrk) through what Seawall loads for 2,000 rules and
 * 100,000 prefixes, beside connection tracking alone, a ufw-like iptables list of 1,000 rules, and no firewall. Every
 * contender has a pair of namespaces of its own, so that a round is only the load itself.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { requireProgram, run } from "../command.ts";
import { type BenchContext, freshFolders, seawallCommand } from "../context.ts";
import { deniedSource, spreadPrefixes, writePolicy } from "../policy.ts";
import { type BenchResult, compare, figuresOf } from "../result.ts";
import { interleave, pick } from "../sample.ts";
import { toolEnvironment, toolPath } from "../tool.ts";

const RULES = 2_000;
const PREFIXES = 100_000;
const UFW_RULES = 1_000;
const SERVER = "10.77.0.2";
const CONNECTIONS_AT_ONCE = 16;
const ROUND_SECONDS = 1;
const READY_LIMIT_MS = 5_000;

const NONE = "no firewall";
const CONNTRACK = "conntrack alone";
const SEAWALL = "Seawall";
const UFW = `ufw-like, ${UFW_RULES.toLocaleString("en-US")} rules`;

/** Returns the rates and their ratios. */
export async function measure(context: BenchContext): Promise<BenchResult> {
  requireProgram("nft", "nftables");
  requireProgram("ip", "iproute2");
  requireProgram("iptables-restore", "iptables");
  const servers: ChildProcess[] = [];
  try {
    const names = [NONE, CONNTRACK, SEAWALL, UFW];
    for (const [at, name] of names.entries()) {
      makePair(at);
      servers.push(await startServer(context, at));
      protect(context, at, name);
    }
    const samples = await interleave(
      names.map((name, at) => ({ name, once: () => load(context, at, servers[at]?.pid ?? 0) })),
      context.quick ? 3 : 11,
      context.quick ? 0 : 1,
    );
    requireOpenPath(names.indexOf(SEAWALL));
    const rates = pick(samples, ({ rate }) => rate);
    const cpu = pick(samples, ({ cpuUs }) => cpuUs);
    const goal = { bound: "at least", ratio: 0.95 } as const;
    return {
      name: "connections",
      title: `new connections a second, ${RULES.toLocaleString("en-US")} rules and ${PREFIXES.toLocaleString("en-US")} prefixes`,
      figures: [
        ...figuresOf(rates, "a second"),
        ...figuresOf(cpu, "us").map((one) => ({ ...one, what: `CPU time of a connection, ${one.what}` })),
      ],
      comparisons: [
        compare(rates, { over: SEAWALL, under: CONNTRACK, goal }),
        compare(rates, { over: SEAWALL, under: NONE }),
        compare(rates, { over: SEAWALL, under: UFW }),
        compare(rates, { over: CONNTRACK, under: NONE }),
        {
          ...compare(cpu, { over: SEAWALL, under: CONNTRACK }),
          what: `CPU time of a connection: ${SEAWALL} / ${CONNTRACK}`,
        },
      ],
      notes: [
        "The client, the server and the firewall share the processors, so absolute rates are lower bounds.",
        "The CPU time is of client, server and firewall together; it hardly changes when others use the machine, the rate does.",
      ],
    };
  } finally {
    for (const server of servers) server.kill("SIGKILL");
  }
}

const client = (at: number): string => `client${at}`;
const server = (at: number): string => `server${at}`;
const within = (namespace: string, argv: readonly string[]): string[] => [
  "ip",
  "netns",
  "exec",
  namespace,
  ...argv,
];

/** Two namespaces with a cable between them; short timeouts, so that old connections do not pile up. */
function makePair(at: number): void {
  for (const name of [client(at), server(at)]) run(["ip", "netns", "add", name]);
  run([
    "ip",
    "-n",
    client(at),
    "link",
    "add",
    "v0",
    "type",
    "veth",
    "peer",
    "name",
    "v0",
    "netns",
    server(at),
  ]);
  for (const [name, address] of [
    [client(at), "10.77.0.1"],
    [server(at), SERVER],
  ] as const) {
    run(["ip", "-n", name, "addr", "add", `${address}/24`, "dev", "v0"]);
    for (const link of ["lo", "v0"]) run(["ip", "-n", name, "link", "set", link, "up"]);
    const sysctl = [
      "net.ipv4.ip_local_port_range=1024 65000",
      "net.ipv4.tcp_tw_reuse=1",
      "net.core.somaxconn=8192",
      "net.ipv4.tcp_max_syn_backlog=8192",
      "net.netfilter.nf_conntrack_tcp_timeout_time_wait=1",
      "net.netfilter.nf_conntrack_tcp_timeout_close=1",
    ];
    run(within(name, ["sysctl", "-qw", ...sysctl]));
  }
}

async function startServer(context: BenchContext, at: number): Promise<ChildProcess> {
  const config = join(context.folder, `nginx${at}.conf`);
  writeFileSync(config, nginxConfig(context.folder, at));
  const nginx = toolPath(context.tools, "nginx");
  const argv = within(server(at), [nginx, "-p", context.folder, "-e", "stderr", "-c", config]);
  const [file = "", ...args] = argv;
  const child = spawn(file, args, {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, ...toolEnvironment(context.tools) },
  });
  const limitMs = performance.now() + READY_LIMIT_MS;
  while (!existsSync(join(context.folder, `nginx${at}.pid`))) {
    if (performance.now() > limitMs || child.exitCode !== null) throw new Error("nginx did not start");
    await sleep(20);
  }
  return child;
}

function nginxConfig(folder: string, at: number): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${folder}/${kind}${at};`)
    .join(" ");
  return `worker_processes 1; daemon off; master_process off; pid ${folder}/nginx${at}.pid; error_log /dev/null;
events { worker_connections 8192; }
http { access_log off; ${temporary}
  server { listen ${SERVER}:80 backlog=8192; location / { return 200 "ok\\n"; } } }
`;
}

function protect(context: BenchContext, at: number, name: string): void {
  switch (name) {
    case CONNTRACK:
      return void run(within(server(at), ["nft", "-f", "-"]), { input: CONNTRACK_TABLE });
    case SEAWALL:
      return applySeawall(context, at);
    case UFW:
      return void run(within(server(at), ["iptables-restore"]), { input: ufwLike() });
    default:
      return;
  }
}

const CONNTRACK_TABLE = `table inet peer {
  chain in { type filter hook prerouting priority -150; policy accept; ct state established accept; }
}
`;

function applySeawall(context: BenchContext, at: number): void {
  writeFileSync(join(context.folder, "prefixes.txt"), `${spreadPrefixes(PREFIXES).join("\n")}\n`);
  const policy = writePolicy(context.folder, "2000.yaml", { rules: RULES, denied: "prefixes.txt" });
  const env = freshFolders(context);
  run(within(server(at), seawallCommand(context, "apply", policy)), { env });
  run(within(server(at), seawallCommand(context, "confirm", "--console")), { env });
}

/** As ufw writes it: established first, then one rule after another. */
function ufwLike(): string {
  const rules = Array.from({ length: UFW_RULES }, (_, at) => {
    const { network, port } = deniedSource(at);
    return `-A user -s ${network} -p tcp -m tcp --dport ${port} -j DROP`;
  });
  return [
    "*filter",
    ":INPUT ACCEPT [0:0]",
    ":user - [0:0]",
    "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "-A INPUT -j user",
    ...rules,
    "-A user -p tcp -m tcp --dport 80 -j ACCEPT",
    "-A user -j DROP",
    "COMMIT",
    "",
  ].join("\n");
}

interface Load {
  readonly rate: number;
  /** Of the client and the server; what the kernel does for a packet is in it. */
  readonly cpuUs: number;
}

function load(context: BenchContext, at: number, serverPid: number): Load {
  const wrk = toolPath(context.tools, "wrk");
  const argv = ["-t1", `-c${CONNECTIONS_AT_ONCE}`, `-d${ROUND_SECONDS}s`, "-H", "Connection: close"];
  const before = cpuUsOf(serverPid);
  // `times` prints what the shell and then what its children used.
  const script = ["sh", "-c", '"$@" && times', "sh", wrk, ...argv, `http://${SERVER}/`];
  const said = run(within(client(at), script), { env: toolEnvironment(context.tools) });
  const rate = Number(/Requests\/sec:\s+([0-9.]+)/.exec(said)?.[1]);
  const requests = Number(/(\d+) requests in/.exec(said)?.[1]);
  const used = [...(said.trimEnd().split("\n").at(-1) ?? "").matchAll(/(\d+)m([0-9.]+)s/g)];
  if (!(rate > 0 && requests > 0) || used.length !== 2) {
    throw new Error(`wrk made no connections: ${said.trim().slice(0, 200)}`);
  }
  const clientUs = used.reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60e6 + Number(seconds) * 1e6,
    0,
  );
  return { rate, cpuUs: (clientUs + cpuUsOf(serverPid) - before) / requests };
}

/** What a process with one thread has used; proc(5) /proc/PID/schedstat begins with nanoseconds. */
function cpuUsOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[0]) / 1_000;
}

/** The rate counts only when the packets were judged by the policy and admitted by its rule. */
function requireOpenPath(at: number): void {
  const listed = run(within(server(at), ["nft", "list", "counters", "table", "inet", "seawall"]));
  const packets = Number(/counter count_allow-http \{[^}]*?packets (\d+)/.exec(listed)?.[1]);
  if (!(packets > 0)) throw new Error("Seawall's rule about http admitted no connection");
}
