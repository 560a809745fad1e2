import { z } from "zod";
import type { Host } from "../support/host/host.ts";
import { openclaw } from "./gateway.ts";

const REPORT = z.object({
  ok: z.boolean(),
  checks: z.array(
    z.object({
      kind: z.enum(["allowed", "denied"]),
      url: z.string(),
      ok: z.boolean(),
      error: z.string().optional(),
    }),
  ),
});

export type ProxyCheck = { readonly code: number | null; readonly report: z.infer<typeof REPORT> };

/**
 * Runs `openclaw proxy validate ARGS` against a proxy as the agent's account: without ARGS https://example.com/ must
 * be reached through it and a server on loopback must not. Exit code 1 when a check failed.
 */
export async function checkProxy(
  host: Host,
  proxyUrl: string,
  ...args: readonly string[]
): Promise<ProxyCheck> {
  const result = await openclaw(host, "proxy", "validate", "--json", "--proxy-url", proxyUrl, ...args);
  const start = result.stdout.indexOf("{");
  if (start < 0)
    throw new Error(`openclaw proxy validate printed no report: ${result.stdout}${result.stderr}`);
  return { code: result.code, report: REPORT.parse(JSON.parse(result.stdout.slice(start))) };
}
