/** One attempt from where the agent is, and who decided it. */
import { TYPE } from "../core/dns/message.ts";
import { DEFAULT_SCOPE } from "../core/policy/resolve.ts";
import type { Folders } from "../edge/state/folder.ts";
import type { Answer } from "./ask.ts";
import { refusalIn } from "./corpus/name.ts";
import { evidenceOf, type LogHit } from "./judge.ts";
import { type Scene, withScene } from "./scene.ts";
import { scopesOf, subjectInForce } from "./subject.ts";

export interface ProbeRequest {
  readonly folders: Folders;
  /** The default scope when absent, or the only one there is. */
  readonly scope: string | undefined;
  /** One of the two is null. */
  readonly host: string | null;
  readonly address: string | null;
  readonly port: number;
  readonly nowMs: () => number;
}

export interface Probed {
  readonly target: string;
  readonly scope: string;
  readonly resolved: readonly string[];
  readonly verdict: "reached" | "refused" | "no answer";
  /** Who refused it; null when nobody of ours did. */
  readonly by: "kernel" | "gate" | null;
  readonly rule: string | null;
  readonly reason: string | null;
  /** For `seawall explain` and `approve`. */
  readonly id: string | null;
  /** Whether it passed only because outbound is watched. */
  readonly observed: boolean;
  readonly evidence: string;
  readonly ms: number;
}

/** Resolves and connects as the scope's own processes would. On 443 it greets by TLS, on 80 it asks for a head. */
export async function probe(request: ProbeRequest): Promise<Probed> {
  const { folders, nowMs } = request;
  const { policy } = subjectInForce(folders, nowMs());
  const only = policy.scopes.length === 1 ? policy.scopes[0]?.name : DEFAULT_SCOPE;
  const [scope] = scopesOf(policy, request.scope ?? only);
  if (scope === undefined) throw new Error("a policy has at least one scope");
  return withScene({ policy, scope, state: folders.state, nowMs, nonce: "", lists: false }, (scene) =>
    tryOnce(scene, request),
  );
}

async function tryOnce(scene: Scene, { host, address, port }: ProbeRequest): Promise<Probed> {
  const base = { target: targetOf(host ?? address ?? "", port), scope: scene.scope.name };
  if (address !== null) return { ...base, resolved: [], ...(await connected(scene, host, address, port)) };
  const asked = await Promise.all(
    [TYPE.A, TYPE.AAAA].map((type) =>
      scene.agent.ask({ do: "dns", server: scene.resolver, name: host ?? "", type, over: "udp" }),
    ),
  );
  const resolved = asked.flatMap(({ dns }) => dns?.addresses ?? []);
  const [first] = resolved;
  if (first !== undefined) return { ...base, resolved, ...(await connected(scene, host, first, port)) };
  return { ...base, resolved, ...(await unresolved(scene, asked[0])) };
}

type Outcome = Omit<Probed, "target" | "scope" | "resolved">;

async function unresolved(scene: Scene, answer: Answer | undefined): Promise<Outcome> {
  const said = /^seawall (sw-\S+) ([a-z-]+):/.exec(answer?.dns?.ede ?? "");
  const ms = answer?.ms ?? 0;
  const none = { rule: null, observed: false, ms };
  if (said !== null) {
    const [whole, id = null, reason = null] = said;
    return {
      ...none,
      verdict: "refused",
      by: "gate",
      reason,
      id,
      evidence: `no address: ${whole.slice(0, -1)}`,
    };
  }
  const hit = await scene.log.find({ address: scene.resolver, port: 53, protocol: "udp" });
  const evidence = `no address: ${answer?.code ?? "nobody was asked"}`;
  return {
    ...none,
    ...decided(hit),
    verdict: answer?.outcome === "refused" ? "refused" : "no answer",
    evidence,
  };
}

async function connected(scene: Scene, host: string | null, address: string, port: number): Promise<Outcome> {
  const answer = await scene.agent.ask(askFor(host, address, port));
  const refusal = /"id":\s*"(sw-[a-z0-9]+)"/.exec(answer.text)?.[1] ?? null;
  const wanted = { address, port, protocol: "tcp" } as const;
  // What came through is in the log only where it is watched.
  const isThrough =
    answer.outcome === "reached" && refusal === null && scene.policy.mode.outbound === "enforce";
  const finds = isThrough
    ? []
    : [scene.log.find(wanted), ...(host === null ? [] : [scene.log.find({ ...wanted, host })])];
  const hit = await firstOf(finds);
  const isRefused = answer.outcome === "refused" || refusalIn(answer) !== null;
  const verdict = isRefused ? "refused" : answer.outcome === "reached" ? "reached" : "no answer";
  const told = decided(hit);
  return {
    verdict,
    ...told,
    by: verdict === "reached" ? null : told.by,
    id: told.id ?? refusal,
    evidence: evidenceOf(answer, hit),
    ms: answer.ms,
  };
}

/** The first refusal that is found, by whichever of the two; null when there is none. */
function firstOf(finds: readonly Promise<LogHit | null>[]): Promise<LogHit | null> {
  const found = finds.map(async (find) => (await find) ?? Promise.reject(new Error("not in the log")));
  return Promise.any(found).catch(() => null);
}

/** The gate decides by what is said first, so a connection alone shows nothing on its ports. */
function askFor(host: string | null, address: string, port: number): Parameters<Scene["agent"]["ask"]>[0] {
  if (host !== null && port === 443) return { do: "tls", address, port, name: host, pieceBytes: null };
  if (host !== null && port === 80) {
    return {
      do: "say",
      address,
      port,
      text: `HEAD / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    };
  }
  return { do: "tcp", address, port };
}

function decided(hit: LogHit | null): Pick<Probed, "by" | "rule" | "reason" | "id" | "observed"> {
  if (hit === null) return { by: null, rule: null, reason: null, id: null, observed: false };
  const { by, rule, reason, refusal, observed } = hit;
  return { by, rule, reason, id: refusal, observed };
}

function targetOf(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
