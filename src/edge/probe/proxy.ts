/** The reverse proxy that runs here: the configuration it would load, and its own answers on this host. */
import { shellWord } from "../../core/base/shell-word.ts";
import { connect } from "node:tls";
import type { ProxyAnswer, ProxyFacts, ProxySite } from "../../core/audit/fact/proxy.ts";
import { parseCaddy } from "../../core/audit/read/caddy.ts";
import { parseNginx } from "../../core/audit/read/nginx.ts";
import type { ConfiguredSite } from "../../core/audit/read/proxy-site.ts";
import { absent, type Reading, read, unreadable } from "../../core/audit/reading.ts";
import { findProgram } from "../host/command.ts";
import { writableBy } from "../host/writable-by.ts";
import { ask } from "./ask.ts";
import { canonical, runningCaddyConfig } from "./caddy-admin.ts";
import { stateAt, textOf } from "./file.ts";
import { untrustedConfig } from "./trusted-config.ts";
import { askHttp, type HttpAnswer } from "./http.ts";
import { listenersOf, type ProcessSeen, type ProcessTable } from "./process.ts";

const HERE = "127.0.0.1";
const TLS_DEADLINE_MS = 2_000;
/** LIMIT: names that are asked. */
const SITES_MAX = 8;

export async function readProxy(
  table: ProcessTable,
  gatewayPorts: readonly number[],
): Promise<Reading<ProxyFacts>> {
  const here = table.all.filter(({ net }) => net === table.net || net === "");
  const caddy = here.find(({ comm }) => comm === "caddy");
  const nginx = here.find(({ comm, title }) => comm === "nginx" && title.includes("master process"));
  if (caddy !== undefined) return readCaddy(caddy, table, gatewayPorts);
  if (nginx !== undefined) return readNginx(nginx, table, gatewayPorts);
  return absent("no reverse proxy (Caddy, nginx) runs here");
}

async function readCaddy(
  process: ProcessSeen,
  table: ProcessTable,
  gatewayPorts: readonly number[],
): Promise<Reading<ProxyFacts>> {
  if (findProgram("caddy") === undefined)
    return unreadable("Caddy runs, and its program is not in a system folder", "caddy adapt --config FILE");
  const file = argumentOf(process.args, "--config") ?? "/etc/caddy/Caddyfile";
  // SECURITY: anybody may call a process `caddy` and name a file: root only reads what root wrote.
  const problem = writableBy(file, new Set([0]));
  if (problem !== null)
    return unreadable(`${file} is not read: ${problem}`, `chown root:root ${shellWord(file)}`);
  const adapter = argumentOf(process.args, "--adapter");
  const [adapted, version] = await Promise.all([
    ask("caddy", ["adapt", "--config", file, ...(adapter === undefined ? [] : ["--adapter", adapter])], {
      env: { HOME: "/nonexistent" },
    }),
    ask("caddy", ["version"]),
  ]);
  const config = adapted?.status === 0 ? parseCaddy(adapted.stdout) : undefined;
  const said =
    adapted?.stderr
      .trim()
      .split("\n")
      .findLast((line) => line !== "") ?? "";
  if (config === undefined)
    return read({
      ...NOTHING,
      kind: "caddy",
      configValid: read({ ok: false, said: `caddy adapt: ${said}` }),
      admin: unreadable("its configuration cannot be read", "caddy adapt"),
    });
  const running = await runningCaddyConfig(config.admin);
  const sites = await readSites(
    config.sites,
    gatewayPorts,
    listenersOf(table, process.pid).map(({ port }) => port),
  );
  return read({
    ...(await readEdge(sites)),
    kind: "caddy",
    version: version?.stdout.trim().split(" ")[0] ?? null,
    sites: sites.map(({ site }) => site),
    admin: read(adminOf(config.admin, table, process.pid)),
    configValid: read({ ok: true, said: "" }),
    loadedIsFile:
      running === undefined
        ? unreadable(
            "Caddy's admin interface does not answer, so what runs cannot be seen",
            "caddy reload, then audit again",
          )
        : read(running === canonical(adapted?.stdout ?? "")),
    lostHeaders: [],
  });
}

/** What listens outranks what the file says: a closed admin in the file may still be open in the process. */
function adminOf(configured: string, table: ProcessTable, pid: number): string {
  const open = listenersOf(table, pid).find(({ port, protocol }) => port === 2019 && protocol === "tcp");
  return open === undefined ? configured : `${open.address}:${open.port}`;
}

async function readNginx(
  process: ProcessSeen,
  table: ProcessTable,
  gatewayPorts: readonly number[],
): Promise<Reading<ProxyFacts>> {
  const file = argumentOf(process.title.replace(/^nginx: master process /, "").split(" "), "-c");
  const prefix = argumentOf(process.title.split(" "), "-p");
  // SECURITY: `nginx -T` loads the modules that the file names, so only root's own nginx and root's own files are asked.
  const problem =
    process.uid === 0 ? untrustedConfig(file ?? "/etc/nginx/nginx.conf") : "its master process is not root's";
  if (problem !== null || prefix !== undefined)
    return unreadable(
      `nginx is not asked: ${problem ?? "it was started with a prefix of its own"}`,
      "nginx -T",
    );
  const dump = await ask("nginx", ["-T", ...(file === undefined ? [] : ["-c", file])]);
  if (dump === undefined)
    return unreadable("nginx runs, and its program is not in a system folder", "nginx -T");
  const said = dump.stderr.split("\n").find((line) => /emerg|error/.test(line)) ?? "";
  const config = parseNginx(dump.stdout);
  const workers = table.all.filter(({ parent }) => parent === process.pid);
  const ports = [process, ...workers].flatMap(({ pid }) => listenersOf(table, pid).map(({ port }) => port));
  const sites = await readSites(config.sites, gatewayPorts, ports);
  return read({
    ...(await readEdge(sites)),
    kind: "nginx",
    version: /nginx version: nginx\/(\S+)/.exec((await ask("nginx", ["-v"]))?.stderr ?? "")?.[1] ?? null,
    sites: sites.map(({ site }) => site),
    admin: absent("nginx has no admin interface"),
    configValid: read({ ok: dump.status === 0, said }),
    loadedIsFile: loadedSince(
      workers.map(({ pid }) => pid),
      config.files,
    ),
    lostHeaders: config.lostHeaders,
  });
}

/** Workers are started anew at each reload: a file that is newer than all of them was not loaded. */
function loadedSince(workers: readonly number[], files: readonly string[]): Reading<boolean> {
  const boot = Number(/^btime (\d+)/m.exec(textOf("/proc/stat"))?.[1] ?? 0);
  const starts = workers.map(
    (pid) =>
      Number(
        textOf(`/proc/${pid}/stat`)
          .replace(/^.*\) /, "")
          .split(" ")[19] ?? 0,
      ) / CLOCK_TICKS,
  );
  if (starts.length === 0 || boot === 0)
    return unreadable("when nginx last read its files cannot be seen", "nginx -s reload");
  const loadedMs = (boot + Math.max(...starts) + 1) * 1000;
  return read(!files.some((file) => (stateAt(file)?.mtimeMs ?? 0) > loadedMs));
}

/** sysconf(_SC_CLK_TCK) is 100 on every Linux that Node runs on. */
const CLOCK_TICKS = 100;

const NOTHING: Omit<ProxyFacts, "kind" | "configValid" | "admin"> = {
  version: null,
  sites: [],
  loadedIsFile: unreadable("its configuration cannot be read", "caddy adapt"),
  lostHeaders: [],
  banner: false,
  oldTls: [],
  unknownNameRefused: unreadable("its configuration cannot be read", "caddy adapt"),
};

function argumentOf(args: readonly string[], name: string): string | undefined {
  const at = args.findIndex((word) => word === name || word.startsWith(`${name}=`));
  const word = args[at];
  if (word === undefined) return undefined;
  return word === name ? args[at + 1] : word.slice(name.length + 1);
}

interface Asked {
  readonly site: ProxySite;
  /** Null when it does not speak TLS. */
  readonly tlsPort: number | null;
  readonly server: string;
}

async function readSites(
  configured: readonly ConfiguredSite[],
  gatewayPorts: readonly number[],
  listening: readonly number[],
): Promise<Asked[]> {
  const leading = configured.filter(({ upstreams }) =>
    upstreams.some((upstream) => gatewayPorts.includes(Number(/:(\d+)$/.exec(upstream)?.[1]))),
  );
  const named = leading.flatMap((site) =>
    site.names.length === 0 ? [{ site, name: "localhost" }] : site.names.map((name) => ({ site, name })),
  );
  return Promise.all(named.slice(0, SITES_MAX).map(({ site, name }) => readSite(site, name, listening)));
}

const PATHS = ["/", "/v1/models", "/seawall-audit/no-such-page"];
const UPGRADE = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "c2Vhd2FsbC1hdWRpdC0xNg==",
};

async function readSite(
  configured: ConfiguredSite,
  name: string,
  listening: readonly number[],
): Promise<Asked> {
  const ports = configured.ports.filter((port) => port !== 80 || configured.ports.length === 1);
  const port = ports.find((one) => listening.includes(one)) ?? ports[0] ?? 443;
  const host = port === 443 ? name : `${name}:${port}`;
  const secure = { address: HERE, port, tlsName: name, host };
  const first = await askHttp({ ...secure, path: PATHS[0] ?? "/" });
  const base = first.status === null ? { address: HERE, port, host } : secure;
  const [root, ...rest] = await Promise.all([
    first.status === null ? askHttp({ ...base, path: "/" }) : Promise.resolve(first),
    ...PATHS.slice(1).map((path) => askHttp({ ...base, path })),
    askHttp({ ...base, path: "/", headers: UPGRADE }),
  ]);
  const requests = [...PATHS.map((path) => `GET ${path}`), "WebSocket /"];
  const answers = [root, ...rest].flatMap((answer, index): ProxyAnswer[] =>
    answer === undefined || answer.status === null
      ? []
      : [{ request: requests[index] ?? "", status: answer.status, headers: answer.headers }],
  );
  const certificate = first.status === null ? null : first.tls;
  return {
    tlsPort: first.status === null ? null : port,
    server: answers[0]?.headers["server"] ?? "",
    site: {
      name,
      tls: certificate === null ? absentTls(answers, first) : read(certificate),
      answers,
      plain: await readPlain(name, listening),
      upstreams: configured.upstreams,
      passes: read(configured.passes),
      authentication: configured.authentication,
      rateLimited: configured.rateLimited,
      onErrors: read(configured.onErrors),
    },
  };
}

function absentTls(
  answers: readonly ProxyAnswer[],
  first: HttpAnswer | { readonly status: null; readonly why: string },
): ProxySite["tls"] {
  if (answers.length > 0) return absent("it answers without TLS");
  return unreadable(
    `it does not answer: ${first.status === null ? first.why : ""}`,
    "curl -vk https://NAME/ on this server",
  );
}

async function readPlain(name: string, listening: readonly number[]): Promise<ProxySite["plain"]> {
  if (!listening.includes(80)) return absent("nobody listens on port 80");
  const answer = await askHttp({ address: HERE, port: 80, path: "/", host: name });
  if (answer.status === null) return absent(answer.why);
  return read({ status: answer.status, location: answer.headers["location"] ?? null });
}

async function readEdge(
  sites: readonly Asked[],
): Promise<Pick<ProxyFacts, "banner" | "oldTls" | "unknownNameRefused">> {
  const port = sites.find(({ tlsPort }) => tlsPort !== null)?.tlsPort ?? null;
  const name = sites.find(({ tlsPort }) => tlsPort !== null)?.site.name ?? "";
  const banner = sites.some(({ server }) => /caddy|nginx|\d/i.test(server));
  if (port === null)
    return {
      banner,
      oldTls: [],
      unknownNameRefused: unreadable("it does not answer over TLS", "curl -vk https://NAME/"),
    };
  const [old, unknown] = await Promise.all([
    shakesHands(port, name, "TLSv1.1"),
    shakesHands(port, "seawall-audit.invalid", "TLSv1.3"),
  ]);
  return { banner, oldTls: old ? ["TLS 1.1 or older"] : [], unknownNameRefused: read(!unknown) };
}

/** Whether a handshake with this name and at most this version is completed. */
function shakesHands(port: number, servername: string, maxVersion: "TLSv1.1" | "TLSv1.3"): Promise<boolean> {
  return new Promise((resolve) => {
    const old =
      maxVersion === "TLSv1.1" ? { minVersion: "TLSv1" as const, ciphers: "DEFAULT:@SECLEVEL=0" } : {};
    const socket = connect({ host: HERE, port, servername, rejectUnauthorized: false, maxVersion, ...old });
    const finish = (done: boolean): void => {
      socket.destroy();
      resolve(done);
    };
    socket.setTimeout(TLS_DEADLINE_MS, () => finish(false));
    socket.once("secureConnect", () => finish(true));
    socket.once("error", () => finish(false));
  });
}
