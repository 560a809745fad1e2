/**
 * The HTTP proxy of @anthropic-ai/sandbox-runtime with a list of names, decided by its own matcher.
 *   node sandbox-runtime-proxy.ts PACKAGE-FOLDER PORT NAME...
 */
import type { Server } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

interface ProxyModule {
  readonly createHttpProxyServer: (options: {
    readonly filter: (port: number, host: string) => boolean;
  }) => Server;
}

interface PatternModule {
  readonly matchesDomainPatternWithPort: (host: string, port: number, pattern: string) => boolean;
}

const [folder = "", listenPort = "", ...names] = process.argv.slice(2);
const part = (file: string): string => pathToFileURL(join(folder, "dist/sandbox", file)).href;
const { createHttpProxyServer } = (await import(part("http-proxy.js"))) as ProxyModule;
const { matchesDomainPatternWithPort } = (await import(part("domain-pattern.js"))) as PatternModule;
const server = createHttpProxyServer({
  filter: (port, host) => names.some((name) => matchesDomainPatternWithPort(host, port, name)),
});
server.listen(Number(listenPort), "127.0.0.1");
