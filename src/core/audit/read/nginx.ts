/** nginx's whole configuration as `nginx -T` prints it (nginx.org/en/docs/beginners_guide.html#conf_structure). */
import { type ConfiguredSite, IDENTITY_HEADERS } from "./proxy-site.ts";

interface Directive {
  readonly name: string;
  readonly args: readonly string[];
  readonly block: readonly Directive[] | null;
}

export interface NginxConfig {
  readonly sites: readonly ConfiguredSite[];
  /** Locations and servers whose own add_header drops those above. */
  readonly lostHeaders: readonly string[];
  readonly files: readonly string[];
}

/** LIMIT: blocks inside blocks. */
const DEPTH_MAX = 32;

/** Returns what the configuration says; text that is not one has no sites. Included files are read in their place. */
export function parseNginx(text: string): NginxConfig {
  const files = splitFiles(text);
  const [main] = files.keys();
  const root =
    main === undefined
      ? parseBlock(tokensOf(text), files, 0)
      : parseBlock(tokensOf(files.get(main) ?? ""), files, 0);
  const http = root.filter(({ name }) => name === "http").flatMap(({ block }) => block ?? []);
  const servers = http.filter(({ name }) => name === "server");
  return {
    sites: servers.flatMap((server) => sitesOf(http, server.block ?? [])),
    lostHeaders: servers.flatMap((server) => lostIn(http, server.block ?? [])),
    files: [...files.keys()],
  };
}

/** `# configuration file /etc/nginx/nginx.conf:` stands before each file. */
function splitFiles(text: string): Map<string, string> {
  const parts = text.split(/^# configuration file (\S+):$/m);
  const files = new Map<string, string>();
  for (let at = 1; at + 1 < parts.length; at += 2) files.set(parts[at] ?? "", parts[at + 1] ?? "");
  return files;
}

function tokensOf(text: string): string[] {
  const found = text.matchAll(
    /#[^\n]*|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|[{};]|(?:\$\{[^}]*\}|[^\s{};"'#]|(?<=\S)#)+/g,
  );
  return [...found].filter(([all]) => !all.startsWith("#")).map((match) => match[1] ?? match[2] ?? match[0]);
}

function parseBlock(tokens: string[], files: ReadonlyMap<string, string>, depth: number): Directive[] {
  const directives: Directive[] = [];
  let words: string[] = [];
  while (tokens.length > 0) {
    const token = tokens.shift() ?? "";
    if (token === "}") break;
    if (token !== ";" && token !== "{") {
      words.push(token);
      continue;
    }
    const [name = "", ...args] = words;
    words = [];
    const block = token === "{" ? parseBlock(tokens, files, depth + 1) : null;
    if (name === "include" && depth < DEPTH_MAX) directives.push(...included(args[0] ?? "", files, depth));
    else directives.push({ name, args, block });
  }
  return directives;
}

function included(pattern: string, files: ReadonlyMap<string, string>, depth: number): Directive[] {
  const path = pattern.startsWith("/") ? pattern : `/etc/nginx/${pattern}`;
  const expression = new RegExp(`^${path.replaceAll(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^/]*")}$`);
  return [...files]
    .filter(([file]) => expression.test(file))
    .flatMap(([, text]) => parseBlock(tokensOf(text), files, depth + 1));
}

type Level = readonly Directive[];

const named = (level: Level, name: string): readonly Directive[] =>
  level.filter((directive) => directive.name === name);

/** nginx takes add_header, proxy_set_header and the like from the innermost level that has any of them. */
function inherited(levels: readonly Level[], name: string): readonly Directive[] {
  return levels.map((level) => named(level, name)).findLast((found) => found.length > 0) ?? [];
}

function sitesOf(http: Level, server: Level): ConfiguredSite[] {
  const locations = named(server, "location").map(({ block }) => block ?? []);
  const proxied = locations.filter((location) => named(location, "proxy_pass").length > 0);
  const [first] = proxied;
  if (first === undefined) return [];
  const upstreams = new Map(
    named(http, "upstream").map(({ args, block }) => [
      args[0] ?? "",
      named(block ?? [], "server").map((one) => one.args[0] ?? ""),
    ]),
  );
  const levels = [http, server, first];
  const has = (name: string): boolean =>
    proxied.every((location) =>
      inherited([http, server, location], name).some(({ args }) => args[0] !== "off"),
    );
  return [
    {
      names: named(server, "server_name")
        .flatMap(({ args }) => args)
        .filter((name) => name !== "_" && name !== ""),
      ports: named(server, "listen").map(({ args }) => Number(/(\d+)$/.exec(args[0] ?? "")?.[1] ?? 80)),
      upstreams: proxied.flatMap((location) =>
        named(location, "proxy_pass").flatMap(({ args }) => dialOf(args[0] ?? "", upstreams)),
      ),
      authentication: [
        ...(has("auth_basic") ? ["auth_basic"] : []),
        ...(has("auth_request") ? ["auth_request"] : []),
        ...(has("ssl_verify_client") ? ["client certificates"] : []),
      ],
      rateLimited: has("limit_req"),
      passes: [...new Set(proxied.flatMap((location) => passesOf([http, server, location])))],
      onErrors: inherited(levels, "add_header")
        .filter(({ args }) => args.at(-1) === "always")
        .map(({ args }) => (args[0] ?? "").toLowerCase()),
    },
  ];
}

function dialOf(url: string, upstreams: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const host = url.replace(/^https?:\/\//, "").split("/")[0] ?? "";
  return upstreams.get(host) ?? [url.startsWith("http://unix:") ? "unix" : host];
}

function passesOf(levels: readonly Level[]): string[] {
  const set = new Map(
    inherited(levels, "proxy_set_header").map(({ args }) => [(args[0] ?? "").toLowerCase(), args[1] ?? ""]),
  );
  const open = IDENTITY_HEADERS.filter(
    (header) => !set.has(header) || set.get(header) === `$http_${header.replaceAll("-", "_")}`,
  );
  const forwarded = set.get("x-forwarded-for");
  return [
    ...open,
    ...(forwarded === undefined || /\$proxy_add_x_forwarded_for|\$http_/.test(forwarded)
      ? ["x-forwarded-for"]
      : []),
  ];
}

function lostIn(http: Level, server: Level): string[] {
  const above = [...named(http, "add_header"), ...named(server, "add_header")];
  const name = named(server, "server_name")[0]?.args[0] ?? "_";
  const lost = (own: readonly Directive[], outer: readonly Directive[], where: string): string[] => {
    if (own.length === 0) return [];
    const missing = outer
      .map(({ args }) => args[0] ?? "")
      .filter((header) => !own.some(({ args }) => args[0]?.toLowerCase() === header.toLowerCase()));
    return missing.length === 0 ? [] : [`${where} drops ${[...new Set(missing)].join(", ")}`];
  };
  const inServer = lost(named(server, "add_header"), named(http, "add_header"), `server ${name}`);
  const outer = named(server, "add_header").length > 0 ? named(server, "add_header") : above;
  return [
    ...inServer,
    ...named(server, "location").flatMap(({ args, block }) =>
      lost(named(block ?? [], "add_header"), outer, `server ${name}, location ${args.join(" ")}`),
    ),
  ];
}
