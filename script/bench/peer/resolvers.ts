/** The resolvers that are measured, each in a namespace of its own. None of them has a cache. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../command.ts";
import { type BenchContext, freshFolders, seawallCommand } from "../context.ts";
import { spreadPrefixes } from "../policy.ts";
import { toolEnvironment, toolPath } from "../tool.ts";
import { type Running, startProgram } from "./running.ts";
import { AGENT_UID, within } from "./wire.ts";
import { ZONE } from "./zone.ts";

export const PREFIXES = 100_000;

export interface Resolver {
  readonly name: string;
  /** Whether a list of 100,000 prefixes is in the kernel of its namespace. */
  readonly hasList: boolean;
  /** How many first answers a round asks for. */
  readonly firstAnswers: number;
  readonly start: (place: Place) => Promise<Running>;
  /** What the agent asks: the resolver itself, or any server when its questions are taken to the gate. */
  readonly asks: (place: Place) => string;
  /** The table with the pins; null where answers are only forwarded. */
  readonly table: string | null;
}

export interface Place {
  readonly context: BenchContext;
  readonly resolver: Resolver;
  readonly namespace: string;
  readonly host: string;
  readonly upstream: string;
}

/** The gate's proxy, which nobody asks here. */
const GATE_PROXY_PORT = 18_901;

/** dnsmasq needs seconds for two with the list, where others need milliseconds for all. */
const bare = { hasList: false, firstAnswers: 25 };
const own = ({ host }: Place): string => host;
const anyServer = ({ upstream }: Place): string => upstream;
const dnsmasq = { start: startDnsmasq, asks: own };
const daemon = { start: startDaemon, asks: anyServer, table: "seawall" };

export const DNSMASQ = "dnsmasq";
export const DNSMASQ_PIN = "dnsmasq nftset";
export const DNSMASQ_LIST = "dnsmasq nftset beside 100,000 prefixes";
export const GATE = "Seawall's gate alone";
export const SEAWALL = "Seawall";
export const SEAWALL_LIST = "Seawall beside 100,000 prefixes";

export const RESOLVERS: readonly Resolver[] = [
  { name: DNSMASQ, ...bare, table: null, ...dnsmasq },
  { name: DNSMASQ_PIN, ...bare, table: "peer", ...dnsmasq },
  { name: DNSMASQ_LIST, hasList: true, firstAnswers: 2, table: "peer", ...dnsmasq },
  { name: GATE, ...bare, table: null, start: startGate, asks: own },
  { name: SEAWALL, ...bare, ...daemon },
  { name: SEAWALL_LIST, ...bare, hasList: true, ...daemon },
];

function startDnsmasq(place: Place): Promise<Running> {
  const { context, resolver, namespace, host, upstream } = place;
  if (resolver.table !== null) {
    run(within(namespace, ["nft", "-f", "-"]), { input: peerTable(resolver) });
  }
  const nftset = resolver.table === null ? [] : [`--nftset=/${ZONE}/4#inet#${resolver.table}#pinned`];
  const listen = [`--listen-address=${host}`, "--bind-interfaces", "--port=53"];
  const forward = [`--server=${upstream}`, "--cache-size=0", "--dns-forward-max=10000"];
  const alone = ["-k", "-C", "/dev/null", "--no-resolv", "--no-hosts", "--pid-file=", "-u", "root"];
  return startAt(place, [toolPath(context.tools, "dnsmasq"), ...alone, ...listen, ...forward, ...nftset]);
}

/** What a person writes who lets dnsmasq fill a set: pinned addresses go out, the list does not. */
function peerTable({ table, hasList }: Resolver): string {
  const list = hasList
    ? `set blocked { type ipv4_addr; flags interval; elements = { ${spreadPrefixes(PREFIXES).join(", ")} }; }`
    : "";
  return `table inet ${table} {
  set pinned { type ipv4_addr; flags timeout; timeout 1h; }
  ${list}
  chain out { type filter hook output priority 0; policy accept;
    ct state established,related accept
    ${hasList ? "ip daddr @blocked drop" : ""}
    ip daddr @pinned accept
  }
}
`;
}

/** In the foreground, without a daemon and without the kernel. */
function startGate(place: Place): Promise<Running> {
  const { context, host, upstream } = place;
  const listen = [
    "--proxy",
    `127.0.0.1:${GATE_PROXY_PORT}`,
    "--dns",
    `${host}:53`,
    "--upstream",
    `${upstream}:53`,
  ];
  return startAt(place, seawallCommand(context, "gate", "--policy", writePolicy(place), ...listen));
}

/** The daemon with its gates, and a policy that is in force and confirmed. */
async function startDaemon(place: Place): Promise<Running> {
  const { context, namespace } = place;
  const env = freshFolders(context);
  const socket = join(env["SEAWALL_RUN_DIR"] ?? "", "control.sock");
  const running = await startAt(place, seawallCommand(context, "daemon"), env, () => existsSync(socket));
  try {
    const policy = writePolicy(place);
    run(within(namespace, seawallCommand(context, "apply", policy)), { env });
    run(within(namespace, seawallCommand(context, "confirm", "--console")), { env });
  } catch (error) {
    running.stop();
    throw error;
  }
  return running;
}

function writePolicy({ context, namespace, resolver }: Place): string {
  const path = join(context.folder, `${namespace}.yaml`);
  const prefixes = `${namespace}.txt`;
  if (resolver.hasList)
    writeFileSync(join(context.folder, prefixes), `${spreadPrefixes(PREFIXES).join("\n")}\n`);
  const lines = [
    "version: 1",
    "mode: {inbound: observe, outbound: enforce}",
    `scopes: {agent: {user: ${AGENT_UID}}}`,
    ...(resolver.hasList ? [`sets: {blocked: {file: ${prefixes}}}`] : []),
    "outbound:",
    `  - {allow: "*.${ZONE}", why: what the load generator asks for}`,
    ...(resolver.hasList ? ["  - {deny: blocked, why: a long list of bad networks}"] : []),
    "",
  ];
  writeFileSync(path, lines.join("\n"));
  return path;
}

function startAt(
  { context, namespace }: Place,
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
  isReady: () => boolean = () => hasPort53(namespace),
): Promise<Running> {
  return startProgram({
    name: namespace,
    argv: within(namespace, argv),
    folder: context.folder,
    env: { ...toolEnvironment(context.tools), ...env },
    isReady,
  });
}

/** ss(8) of iproute2: a resolver answers from then on, since the kernel keeps what it did not read yet. */
function hasPort53(namespace: string): boolean {
  return run(within(namespace, ["ss", "-Hlun", "sport = :53"])).trim() !== "";
}
