/** What the agent's commands run, and what is read out of what they print. */
import { findProgram } from "../../edge/host/command.ts";
import { ROOT_CERTIFICATE } from "./home.ts";

export interface Scripts {
  /** What makes the requests: curl where the machine has it, else node. */
  readonly client: string;
  /** The same without any proxy, in words. */
  readonly direct: string;
  /** Each returns a script for sh. */
  readonly get: (url: string) => string;
  readonly getDirect: (url: string) => string;
  /** By the proxy that the environment names: plain HTTP, so that the answer is the gate's own page. */
  readonly getProxied: (url: string) => string;
  readonly node: (url: string) => string;
  /** Says one name to an address that is another's. */
  readonly neighbour: (name: string, address: string) => string;
  /** Asks a TXT question of the resolver of the host, and another one of a resolver of its own choice. */
  readonly tunnel: (names: readonly [string, string], resolver: string) => string;
}

/** Returns the scripts for this machine. */
export function scripts(): Scripts {
  const curl = findProgram("curl") !== undefined;
  const plain = (url: string, more = ""): string => `curl -sS --cacert ${ROOT_CERTIFICATE} ${more}'${url}'`;
  return {
    client: curl ? "curl" : "node http",
    direct: curl ? "curl --noproxy '*'" : "node http without a proxy",
    get: (url) => (curl ? plain(url) : nodeRequest(url)),
    getDirect: (url) => (curl ? plain(url, "--noproxy '*' ") : nodeRequest(url)),
    getProxied: (url) => (curl ? plain(url) : nodeRequest(url, { proxied: true })),
    node: (url) =>
      trusting(
        `fetch("${url}").then((r) => r.text()).then(console.log, (e) => console.log(String(e.cause)))`,
      ),
    neighbour: (name, address) => nodeRequest(`http://${address}/`, { host: name }),
    tunnel: ([first, second], resolver) =>
      trusting(
        `const { Resolver, resolveTxt } = require("dns"); const own = new Resolver(); own.setServers(["${resolver}"]);
const say = (error, found) => console.log(error ? error.code : "ANSWERED " + found);
resolveTxt("${first}", say); own.resolveTxt("${second}", say)`,
      ),
  };
}

/** The first that is found counts; without words of its own, what was found. */
const WORDS: readonly { readonly pattern: RegExp; readonly words?: string }[] = [
  { pattern: /REACHED [^\s<\\]+/ },
  { pattern: /ENOTFOUND|Could not resolve host/, words: "ENOTFOUND" },
  { pattern: /ECONNREFUSED|Failed to connect|Couldn't connect|Could not connect/, words: "ECONNREFUSED" },
  { pattern: /Proxy response \(403\)|CONNECT tunnel failed, response 403/, words: "403" },
];
const ANSWER_CHARS_MAX = 200;
/** The code of timeout(1) for a command that did not end by itself. */
const HUNG = /^ended 124$/m;

/** Returns what an answer of the agent comes to, in the words of a row; the answer itself when that is not known. */
export function said(answer: string): string {
  if (HUNG.test(answer)) return "hung";
  const refusal = refusalIn(answer);
  if (refusal !== null) return `403 ${refusal.reason}`;
  for (const { pattern, words } of WORDS) {
    const found = pattern.exec(answer)?.[0];
    if (found !== undefined) return words ?? found;
  }
  return answer.replaceAll(/\s+/g, " ").slice(0, ANSWER_CHARS_MAX);
}

/** Returns the codes of failed look-ups, and a word for each that was answered. */
export function codesIn(answer: string): readonly string[] {
  return answer.match(/\b(E[A-Z]{5,}|ANSWERED)\b/g) ?? [];
}

/** The reason and the id of a gate's refusal, where the answer holds one. */
export function refusalIn(answer: string): { readonly reason: string; readonly id: string } | null {
  const reason = /"reason": ?"([^"]+)"/.exec(answer)?.[1];
  const id = /\bsw-[a-z0-9]{20}\b/.exec(answer)?.[0];
  return reason === undefined || id === undefined ? null : { reason, id };
}

/** A request that no proxy setting reaches; by `proxied`, through the one that the environment names. */
function nodeRequest(url: string, { host, proxied }: { host?: string; proxied?: true } = {}): string {
  const headers = JSON.stringify(host === undefined ? {} : { host });
  const where = proxied === true ? BY_PROXY : `const at = to; const more = { headers: ${headers} };`;
  return trusting(`const to = new URL("${url}"); ${where}
const say = (e) => console.log(String(e), e.code ?? "");
require(at.protocol.slice(0, -1)).get(at, more, (r) => r.on("error", say).pipe(process.stdout)).on("error", say)`);
}

const BY_PROXY = `const at = new URL(process.env.HTTP_PROXY ?? process.env.http_proxy);
const more = { path: to.href, headers: { host: to.host } };`;

function trusting(program: string): string {
  return `NODE_EXTRA_CA_CERTS=${ROOT_CERTIFICATE} node -e '${program}'`;
}
