/** Caddy's configuration as `caddy adapt` prints it (caddyserver.com/docs/json). */
import { childOf as child, isJson, type Json, listOf as list, parseObject as parse, textOf } from "./json.ts";
import { type ConfiguredSite, IDENTITY_HEADERS } from "./proxy-site.ts";

export interface CaddyConfig {
  readonly sites: readonly ConfiguredSite[];
  /** `localhost:2019`, `unix//run/caddy/admin.sock`, `off`. */
  readonly admin: string;
}

/** Returns the sites that pass requests on, or undefined when the text is no such JSON. */
export function parseCaddy(text: string): CaddyConfig | undefined {
  const root = parse(text);
  if (root === undefined) return undefined;
  const admin = child(root, "admin");
  const servers = Object.values(child(child(child(root, "apps"), "http"), "servers")).filter(isJson);
  return {
    sites: servers.flatMap(sitesOf),
    admin: admin["disabled"] === true ? "off" : textOf(admin["listen"], "localhost:2019"),
  };
}

function sitesOf(server: Json): ConfiguredSite[] {
  const ports = list(server["listen"]).flatMap(
    (address) => Number(/:(\d+)(?:-\d+)?$/.exec(String(address))?.[1] ?? []) || [],
  );
  const errorRoutes = list(child(server, "errors")["routes"]).filter(isJson);
  return list(server["routes"])
    .filter(isJson)
    .flatMap((route) => {
      const handlers = handlersOf(route);
      const proxies = handlers.filter((handler) => handler["handler"] === "reverse_proxy");
      if (proxies.length === 0) return [];
      const names = list(route["match"])
        .filter(isJson)
        .flatMap((match) => list(match["host"]).map(String));
      const onErrors = errorRoutes.filter((one) => sameHosts(one, names)).flatMap(handlersOf);
      return [
        {
          names,
          ports,
          upstreams: proxies.flatMap((proxy) =>
            list(proxy["upstreams"])
              .filter(isJson)
              .map((upstream) => textOf(upstream["dial"])),
          ),
          authentication: authenticationOf(handlers, server),
          rateLimited: handlers.some((handler) => handler["handler"] === "rate_limit"),
          passes: passesOf(handlers, proxies),
          onErrors: [...new Set([...setHeaders(handlers, false), ...setHeaders(onErrors, true)])],
        },
      ];
    });
}

/** Every handler of a route, those of its subroutes too, in order. */
function handlersOf(route: Json, depth = 0): Json[] {
  if (depth > DEPTH_MAX) return [];
  return list(route["handle"])
    .filter(isJson)
    .flatMap((handler) => [
      handler,
      ...list(handler["routes"])
        .filter(isJson)
        .flatMap((inner) => handlersOf(inner, depth + 1)),
    ]);
}

/** LIMIT: routes inside routes. */
const DEPTH_MAX = 32;

function sameHosts(route: Json, names: readonly string[]): boolean {
  const hosts = list(route["match"])
    .filter(isJson)
    .flatMap((match) => list(match["host"]).map(String));
  return hosts.length === 0 || names.some((name) => hosts.includes(name));
}

function authenticationOf(handlers: readonly Json[], server: Json): string[] {
  const found = handlers.flatMap((handler) =>
    handler["handler"] === "authentication" ? Object.keys(child(handler, "providers")) : [],
  );
  // forward_auth becomes a reverse_proxy that goes on only when the answer is 2xx.
  const forward = handlers.some(
    (handler) => handler["handler"] === "reverse_proxy" && list(handler["handle_response"]).length > 0,
  )
    ? ["forward_auth"]
    : [];
  const client = list(server["tls_connection_policies"])
    .filter(isJson)
    .some((policy) => isJson(policy["client_authentication"]))
    ? ["client certificates"]
    : [];
  return [...found, ...forward, ...client];
}

function passesOf(handlers: readonly Json[], proxies: readonly Json[]): string[] {
  const before = handlers
    .filter((handler) => handler["handler"] === "headers")
    .map((handler) => child(handler, "request"));
  const covered = (operations: readonly Json[], header: string): boolean =>
    operations.some(
      (operation) =>
        Object.keys(child(operation, "set")).some((name) => name.toLowerCase() === header) ||
        list(operation["delete"]).some((pattern) => wildcard(String(pattern).toLowerCase(), header)),
    );
  return IDENTITY_HEADERS.filter((header) =>
    proxies.some(
      (proxy) =>
        list(proxy["handle_response"]).length === 0 &&
        !covered([...before, child(child(proxy, "headers"), "request")], header),
    ),
  );
}

/** `Tailscale-*`, `*-Login`: Caddy deletes by a star at either end. */
function wildcard(pattern: string, name: string): boolean {
  if (pattern.startsWith("*")) return name.endsWith(pattern.slice(1));
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}

/** A deferred header is written with the upstream's answer, so it is missing when there is none. */
function setHeaders(handlers: readonly Json[], deferredToo: boolean): string[] {
  return handlers.flatMap((handler) => {
    if (handler["handler"] !== "headers") return [];
    const response = child(handler, "response");
    if (response["deferred"] === true && !deferredToo) return [];
    return [...Object.keys(child(response, "set")), ...Object.keys(child(response, "add"))].map((name) =>
      name.toLowerCase(),
    );
  });
}
