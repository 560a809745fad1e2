/** JSON of `tailscale serve status --json` (ipn.ServeConfig). */
import type { TailscaleFacts } from "../fact/tailscale.ts";
import { parseObject } from "./json.ts";

interface ServeJson {
  readonly TCP?: Readonly<Record<string, { readonly TCPForward?: string }>>;
  readonly Web?: Readonly<
    Record<
      string,
      { readonly Handlers?: Readonly<Record<string, { readonly Proxy?: string; readonly Path?: string }>> }
    >
  >;
  readonly AllowFunnel?: Readonly<Record<string, boolean>>;
}

/** Returns what is served, and whether the world reaches it; text that is no such JSON serves nothing. */
export function parseServes(text: string): TailscaleFacts["serves"] {
  const config = (parseObject(text) ?? {}) as ServeJson;
  const funnel = (host: string): boolean => config.AllowFunnel?.[host] === true;
  const web = Object.entries(config.Web ?? {}).flatMap(([host, { Handlers }]) =>
    Object.entries(Handlers ?? {}).map(([path, handler]) => {
      const target = handler.Proxy ?? handler.Path ?? "text";
      return { text: `https://${host}${path} -> ${target}`, funnel: funnel(host), port: portOf(target) };
    }),
  );
  const tcp = Object.entries(config.TCP ?? {}).flatMap(([port, { TCPForward }]) => {
    if (TCPForward === undefined) return [];
    const isFunnel = Object.entries(config.AllowFunnel ?? {}).some(
      ([host, on]) => on && host.endsWith(`:${port}`),
    );
    return [{ text: `tcp ${port} -> ${TCPForward}`, funnel: isFunnel, port: portOf(TCPForward) }];
  });
  return [...web, ...tcp];
}

function portOf(target: string): number | null {
  const port = /:(\d{1,5})(?:\/|$)/.exec(target)?.[1];
  return port === undefined ? null : Number(port);
}
