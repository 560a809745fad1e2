/** The proxies that are measured: every one allows the origin's name on two ports and nothing else, and logs nothing. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BenchContext, seawallCommand } from "../context.ts";
import { toolEnvironment, toolPath } from "../tool.ts";
import { peerPackage } from "./prepare.ts";
import { isListening, type Running, startProgram } from "./running.ts";
import { AGENT_UID } from "./wire.ts";
import { ORIGIN_ADDRESS, ORIGIN_NAME } from "./zone.ts";

export interface Proxy {
  readonly name: string;
  /** On loopback; 0 is no proxy. */
  readonly port: number;
  readonly argv: (context: BenchContext, port: number) => readonly string[];
}

export const DIRECT = "no proxy";
export const SEAWALL = "Seawall";
export const SQUID = "squid";
export const TINYPROXY = "tinyproxy";
export const SANDBOX_RUNTIME = "sandbox-runtime";
export const NODE_PIPE = "a Node pipe of 40 lines";

export const PROXIES: readonly Proxy[] = [
  { name: SEAWALL, port: 3_110, argv: seawall },
  { name: SQUID, port: 3_111, argv: squid },
  { name: TINYPROXY, port: 3_112, argv: tinyproxy },
  { name: SANDBOX_RUNTIME, port: 3_113, argv: sandboxRuntime },
  { name: NODE_PIPE, port: 3_114, argv: nodePipe },
];

/** The gate's resolver, which nobody asks here. */
const GATE_DNS_PORT = 3_153;

export function startProxy(context: BenchContext, proxy: Proxy): Promise<Running> {
  return startProgram({
    name: proxy.name.split(" ").join("-"),
    argv: proxy.argv(context, proxy.port),
    folder: context.folder,
    env: toolEnvironment(context.tools),
    isReady: () => isListening("127.0.0.1", proxy.port),
  });
}

function seawall(context: BenchContext, port: number): readonly string[] {
  const policy = join(context.folder, "proxy.yaml");
  writeFileSync(
    policy,
    `version: 1
mode: {inbound: observe, outbound: enforce}
scopes: {agent: {user: ${AGENT_UID}}}
outbound:
  - {allow: ${ORIGIN_NAME}, port: [80, 443], why: what the load generator fetches}
`,
  );
  const listen = ["--proxy", `127.0.0.1:${port}`, "--dns", `127.0.0.1:${GATE_DNS_PORT}`];
  return seawallCommand(context, "gate", "--policy", policy, ...listen, "--upstream", `${ORIGIN_ADDRESS}:53`);
}

function squid(context: BenchContext, port: number): readonly string[] {
  const config = join(context.folder, "squid.conf");
  writeFileSync(
    config,
    `http_port 127.0.0.1:${port}
acl listed dstdomain ${ORIGIN_NAME}
acl ports port 443 80
http_access allow listed ports
http_access deny all
cache deny all
access_log none
cache_log /dev/null
cache_store_log none
pid_filename none
coredump_dir /
netdb_filename none
pinger_enable off
shutdown_lifetime 0 seconds
max_filedescriptors 16384
${squidPlaces(context).join("\n")}
`,
  );
  return [toolPath(context.tools, "squid"), "-N", "-f", config];
}

/** Squid has its own paths compiled in and checks them at its start, also those that it will not use. */
function squidPlaces({ tools }: BenchContext): string[] {
  const root = join(tools ?? "", "root/usr");
  if (tools === null || !existsSync(join(root, "share/squid"))) return [];
  return [
    `mime_table ${root}/share/squid/mime.conf`,
    `icon_directory ${root}/share/squid/icons`,
    `error_directory ${root}/share/squid/errors/templates`,
    `unlinkd_program ${root}/lib/squid/unlinkd`,
    `logfile_daemon ${root}/lib/squid/log_file_daemon`,
    `pinger_program ${root}/lib/squid/pinger`,
  ];
}

function tinyproxy(context: BenchContext, port: number): readonly string[] {
  const config = join(context.folder, "tinyproxy.conf");
  const names = join(context.folder, "tinyproxy.names");
  writeFileSync(names, `^${ORIGIN_NAME.replaceAll(".", String.raw`\.`)}$\n`);
  writeFileSync(
    config,
    `Port ${port}
Listen 127.0.0.1
MaxClients 600
Timeout 60
LogLevel Critical
LogFile "/dev/null"
Filter "${names}"
FilterDefaultDeny Yes
ConnectPort 443
ConnectPort 80
`,
  );
  return [toolPath(context.tools, "tinyproxy"), "-d", "-c", config];
}

function sandboxRuntime(context: BenchContext, port: number): readonly string[] {
  const script = child("sandbox-runtime-proxy.ts");
  return [process.execPath, script, peerPackage(context.root), String(port), ORIGIN_NAME];
}

function nodePipe(_: BenchContext, port: number): readonly string[] {
  return [process.execPath, child("pipe-proxy.ts"), String(port), ORIGIN_NAME];
}

function child(script: string): string {
  return fileURLToPath(new URL(`../child/${script}`, import.meta.url));
}
