/** The server behind the proxies: nginx with TLS in the namespace `origin`, and the resolver that knows its name. */
import { appendFileSync, closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../command.ts";
import type { BenchContext } from "../context.ts";
import { toolEnvironment, toolPath } from "../tool.ts";
import { startUpstream, type Upstream } from "./dns-upstream.ts";
import { isListening, type Running, startProgram } from "./running.ts";
import { connectEnds, makeNamespace, within } from "./wire.ts";
import { ORIGIN_ADDRESS, ORIGIN_NAME } from "./zone.ts";

export const DOWNLOAD_BYTES = 256 * 1024 * 1024;
const NAMESPACE = "origin";
const CERTIFICATE_DAYS = 2;

export interface Origin {
  readonly server: Running;
  readonly upstream: Upstream;
  /** Signs itself; the clients trust nothing else. */
  readonly certificate: string;
}

/** Starts the origin and makes its name known here (/etc/hosts), so that no peer has to ask a resolver. */
export async function startOrigin(context: BenchContext): Promise<Origin> {
  makeNamespace(NAMESPACE);
  connectEnds(
    { namespace: null, device: "gate0", address: "11.7.0.1/24" },
    { namespace: NAMESPACE, device: "origin0", address: `${ORIGIN_ADDRESS}/24` },
  );
  appendFileSync("/etc/hosts", `${ORIGIN_ADDRESS} ${ORIGIN_NAME}\n`);
  const certificate = makeCertificate(context);
  makeDownload(context.folder);
  const config = join(context.folder, "origin.conf");
  writeFileSync(config, nginxConfig(context.folder));
  const nginx = toolPath(context.tools, "nginx");
  const server = await startProgram({
    name: "nginx",
    argv: within(NAMESPACE, [nginx, "-p", context.folder, "-e", "stderr", "-c", config]),
    folder: context.folder,
    env: toolEnvironment(context.tools),
    isReady: () => isListening(ORIGIN_ADDRESS, 443),
  });
  return { server, upstream: await startUpstream(context.folder, NAMESPACE), certificate };
}

function makeCertificate({ folder, tools }: BenchContext): string {
  const openssl = toolPath(tools, "openssl");
  const certificate = join(folder, "origin.crt");
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const config = join(folder, "openssl.cnf");
  // Its own configuration may be missing where the program was only unpacked.
  writeFileSync(
    config,
    `[req]\nprompt = no\ndistinguished_name = name\nx509_extensions = more\n[name]\nCN = ${ORIGIN_NAME}\n[more]\nsubjectAltName = DNS:${ORIGIN_NAME}\n`,
  );
  const files = ["-keyout", join(folder, "origin.key"), "-out", certificate];
  run([openssl, "req", "-x509", "-days", String(CERTIFICATE_DAYS), "-config", config, ...key, ...files], {
    env: toolEnvironment(tools),
  });
  return certificate;
}

/** A file of holes takes no memory; what is read of it is zeros. */
function makeDownload(folder: string): void {
  mkdirSync(join(folder, "www"));
  const file = openSync(join(folder, "www/large"), "w");
  ftruncateSync(file, DOWNLOAD_BYTES);
  closeSync(file);
}

/** Every connection is a full handshake: no session is resumed. */
function nginxConfig(folder: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${folder}/${kind};`)
    .join(" ");
  return `user root; worker_processes 1; daemon off; master_process off; pid ${folder}/nginx.pid; error_log /dev/null;
events { worker_connections 8192; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_timeout 0; ${temporary}
  ssl_certificate ${folder}/origin.crt; ssl_certificate_key ${folder}/origin.key;
  ssl_session_cache off; ssl_session_tickets off;
  server { listen ${ORIGIN_ADDRESS}:80 backlog=8192; listen ${ORIGIN_ADDRESS}:443 ssl backlog=8192;
    location = /large { root ${folder}/www; } location / { return 200 "ok\\n"; } } }
`;
}
