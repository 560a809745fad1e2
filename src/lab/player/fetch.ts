/** What a program of the agent does with a name: resolve, connect, speak. Every step can be where it ends. */
import { Resolver } from "node:dns/promises";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Fetched, FetchRequest, ResolveRequest } from "./request.ts";
import { SHARED_KEY, TLS_OPTIONS } from "./web.ts";

const RESOLVE_MS = 1_500;

/** Looks a name up at a server. */
export async function resolveName({ host, type, resolver }: ResolveRequest): Promise<Fetched> {
  try {
    const found =
      type === "TXT" ? (await at(resolver).resolveTxt(host)).flat() : await at(resolver).resolve4(host);
    return { outcome: "resolved", said: found.join(" ") };
  } catch (cause) {
    return { outcome: lookupOutcome(cause), said: null };
  }
}

/** Fetches the front page of a name. */
export async function fetchName(request: FetchRequest): Promise<Fetched> {
  const { host, to, family, resolver, scheme, proxyPort, deadlineMs } = request;
  if (scheme === "proxy")
    return speak(connect(proxyPort, "127.0.0.1"), `GET http://${host}/ HTTP/1.1`, host, deadlineMs);
  let address = to;
  if (address === undefined) {
    try {
      [address] = family === 4 ? await at(resolver).resolve4(host) : await at(resolver).resolve6(host);
    } catch (cause) {
      return { outcome: lookupOutcome(cause), said: null };
    }
  }
  if (address === undefined) return { outcome: "unknown name", said: null };
  const socket =
    scheme === "http"
      ? connect(80, address)
      : connectTls({
          ...TLS_OPTIONS,
          host: address,
          port: 443,
          servername: host,
          checkServerIdentity: () => undefined,
          pskCallback: () => ({ psk: SHARED_KEY, identity: "agent" }),
        });
  return speak(socket, "GET / HTTP/1.1", host, deadlineMs);
}

function at(resolver: string): Resolver {
  const one = new Resolver({ timeout: RESOLVE_MS, tries: 1 });
  one.setServers([resolver]);
  return one;
}

function lookupOutcome(cause: unknown): Fetched["outcome"] {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === "ENOTFOUND" || code === "ENODATA") return "unknown name";
  return code === "ECONNREFUSED" ? "refused" : "timeout";
}

function speak(socket: Socket, line: string, host: string, deadlineMs: number): Promise<Fetched> {
  return new Promise((resolve) => {
    let said = "";
    const end = (outcome: Fetched["outcome"], words: string | null): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ outcome, said: words });
    };
    const timer = setTimeout(() => end("timeout", null), deadlineMs);
    socket.setEncoding("utf8");
    socket.on("data", (chunk: Buffer | string) => {
      said += String(chunk);
    });
    socket.on("end", () => end("fetched", wordsOf(said)));
    socket.on("error", (error: NodeJS.ErrnoException) => end(outcomeOf(error), null));
    socket.write(`${line}\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  });
}

/** The words of a page, or the status and the reason of a refusal. */
function wordsOf(response: string): string {
  const status = /^HTTP\/1\.1 (\d+)/.exec(response)?.[1] ?? "?";
  const reason = /"reason":"([^"]+)"/.exec(response)?.[1];
  if (reason !== undefined) return `${status} ${reason}`;
  return response.split("\r\n\r\n")[1] ?? "";
}

function outcomeOf(error: NodeJS.ErrnoException): Fetched["outcome"] {
  if (error.code === "ECONNREFUSED" || error.code === "EHOSTUNREACH" || error.code === "EACCES")
    return "refused";
  return error.code?.startsWith("ERR_SSL") === true || error.code === "EPROTO" ? "alert" : "reset";
}
