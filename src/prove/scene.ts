/** Everything that the rows of one scope need: who tries, what the policy says, what listens, what is listed. */
import { TYPE } from "../core/dns/message.ts";
import { parseHostname } from "../core/net/hostname.ts";
import type { FlowProtocol } from "../core/net/flow.ts";
import { parseIp } from "../core/net/ip.ts";
import { allowsOf, gatedScopes } from "../core/policy/gated.ts";
import { gatePorts } from "../core/policy/gate-port.ts";
import type { Decision } from "../core/policy/decision.ts";
import { evaluator } from "../core/policy/evaluate.ts";
import type { ResolvedPolicy, ResolvedScope } from "../core/policy/resolved.ts";
import { keepProofRun } from "../edge/state/proof-record.ts";
import { readResolvers } from "../edge/host/resolv-conf.ts";
import type { Answer, Ask } from "./ask.ts";
import { judgeAttempt, pledgeOf, type Pledge } from "./judge.ts";
import { openProofLog, type ProofLog, type Wanted } from "./log.ts";
import { type Identity, type Person, requireWorking, startPerson } from "./person.ts";
import { openPlace, type Place } from "./place.ts";
import type { Judged } from "./row.ts";
import { openWitness, outerAddresses, type Witness } from "./witness.ts";

export interface Scene {
  readonly policy: ResolvedPolicy;
  readonly scope: ResolvedScope;
  readonly place: Place;
  readonly log: ProofLog;
  readonly witness: Witness;
  /** The process that makes most attempts. */
  readonly agent: Person;
  /** Starts one more there, for what would disturb the others; as somebody else where that is wanted. */
  readonly another: (identity?: Identity) => Person;
  /** Starts one on this host, outside the place. */
  readonly outsider: (identity: Identity) => Person;
  readonly decide: (
    host: string | null,
    address: string | null,
    port: number,
    protocol: FlowProtocol,
  ) => Decision;
  /** What the policy says about anything that only the gate decides. */
  readonly gatePledge: Pledge;
  readonly ports: ReturnType<typeof gatePorts>;
  readonly hasGate: boolean;
  /** A name that nobody asked for before and no rule lists (RFC 2606: it does not exist). */
  readonly uniqueName: (label: string) => string;
  readonly resolver: string;
  /** A name that the policy allows over TLS, once it was reached by its own name; else why there is none. */
  readonly listed: Listed | string;
}

export interface Listed {
  readonly name: string;
  readonly address: string;
}

/** RFC 5737: nobody is there, so whoever answers for it is our gate. */
const NOBODYS_RESOLVER = "192.0.2.53";
/** LIMIT: names of the policy that are tried until one is reached. */
const CANDIDATES_MAX = 4;

export interface SceneRequest {
  readonly policy: ResolvedPolicy;
  readonly scope: ResolvedScope;
  readonly state: string;
  readonly nowMs: () => number;
  /** Of this run alone. */
  readonly nonce: string;
  /** Whether a listed name is looked for, which connects to it. */
  readonly lists: boolean;
}

/** Sets the scene of one scope, gives it to `work`, and takes everything away again, whatever happens. */
export async function withScene<Value>(
  request: SceneRequest,
  work: (scene: Scene) => Promise<Value>,
): Promise<Value> {
  const closers: (() => void | Promise<void>)[] = [];
  try {
    return await work(await setScene(request, closers));
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

async function setScene(request: SceneRequest, closers: (() => void | Promise<void>)[]): Promise<Scene> {
  const { policy, scope, nonce, nowMs } = request;
  const place = openPlace(scope);
  closers.push(place.close);
  const near = place.nearAddress === null ? [] : [place.nearAddress];
  const witness = await openWitness({
    port: 0,
    addresses: ["127.0.0.1", "::1", ...outerAddresses(), ...near],
  });
  closers.push(witness.close);
  const people: Person[] = [];
  const fromMs = nowMs();
  // Closed last: by then every attempt is over.
  closers.unshift(() => {
    const sockets = people.flatMap((person) => person.sockets);
    keepProofRun(request.state, { scope: scope.name, nonce, fromMs, toMs: nowMs(), sockets });
  });
  const begin = (enter: readonly string[], identity: Identity): Person => {
    const person = startPerson(enter, identity);
    people.push(person);
    closers.push(person.stop);
    return person;
  };
  const log = openProofLog(request.state, scope.name, nowMs);
  closers.push(log.close);
  const agent = begin(place.enter, place.identity);
  await requireWorking(agent, scope.name);
  const decide = deciderOf(policy, scope.name, nowMs);
  const hasGate = gatedScopes(policy).some(({ name }) => name === scope.name);
  const resolver = (place.kind === "guest" ? undefined : readResolvers()[0]) ?? NOBODYS_RESOLVER;
  const watching = policy.mode.outbound === "observe";
  return {
    policy,
    scope,
    place,
    log,
    witness,
    agent,
    another: (identity = place.identity) => begin(place.enter, identity),
    outsider: (identity) => begin([], identity),
    decide,
    gatePledge: watching ? { kind: "watched", would: "refuse" } : { kind: "refused", drops: false },
    ports: gatePorts(scope.index),
    hasGate,
    uniqueName: (label) => `${label}-${nonce}.seawall-prove.invalid`,
    resolver,
    listed:
      hasGate && request.lists
        ? await findListed({ policy, scope, agent, decide, resolver })
        : "no rule of it is by name",
  };
}

function deciderOf(policy: ResolvedPolicy, scope: string, nowMs: () => number): Scene["decide"] {
  const evaluate = evaluator(policy);
  return (host, address, port, protocol) => {
    const name = host === null ? undefined : parseHostname(host);
    const flow = {
      direction: "outbound",
      scope,
      host: name?.ok === true ? name.name : null,
      address: address === null ? null : (parseIp(address) ?? null),
      protocol,
      port,
    } as const;
    return evaluate(flow, nowMs());
  };
}

type Finding = Pick<Scene, "policy" | "scope" | "agent" | "decide" | "resolver">;

/** The control of every row about names: the right name comes through from this place, so only the name differs. */
async function findListed({ policy, scope, agent, decide, resolver }: Finding): Promise<Listed | string> {
  const patterns = allowsOf(policy, scope.name).flatMap(({ names }) => names);
  const names = patterns.map((one) => (one.kind === "exact" ? one.name : `www.${one.suffix}`));
  const open = [...new Set(names)].filter((name) => decide(name, null, 443, "tcp").verdict === "accept");
  const found = await Promise.all(
    open.slice(0, CANDIDATES_MAX).map(async (name): Promise<Listed | string> => {
      const asked = await agent.ask({ do: "dns", server: resolver, name, type: TYPE.A, over: "udp" });
      const address = asked.dns?.addresses[0];
      if (address === undefined) return `${name} has no address here (${asked.code})`;
      const greeted = await agent.ask({ do: "tls", address, port: 443, name, pieceBytes: null });
      return greeted.outcome === "reached" ? { name, address } : `${name} is not reached (${greeted.code})`;
    }),
  );
  return found.find((one) => typeof one !== "string") ?? found[0] ?? "no rule allows a name over TLS";
}

/** What is promised of a place that the gate decides, unless a rule allows its address itself: that bypasses the gate. */
export function pledgeThroughGate(
  { decide, gatePledge }: Scene,
  { address, port, protocol }: Wanted,
): Pledge {
  const direct = pledgeOf(decide(null, address, port, protocol));
  return direct.kind === "allowed" ? direct : gatePledge;
}

/** Makes one attempt by address and judges it by policy and log. */
export async function tryAddress(
  scene: Scene,
  ask: Extract<Ask, { do: "tcp" | "udp" }>,
  person: Person = scene.agent,
): Promise<Judged> {
  const answer = await person.ask(ask);
  return judgeFlow(scene, answer, { address: ask.address, port: ask.port, protocol: ask.do });
}

/** Judges an answer by what the policy says of the flow and what the log has of it. */
export async function judgeFlow(scene: Scene, answer: Answer, wanted: Wanted): Promise<Judged> {
  const { address, port, protocol } = wanted;
  const pledge = pledgeOf(scene.decide(null, address, port, protocol));
  return judgeAttempt(answer, pledge, await hitOf(scene, answer, wanted));
}

/** What the log has of an attempt that was not reached. */
export function hitOf(scene: Scene, answer: Answer, wanted: Wanted): ReturnType<ProofLog["find"]> {
  const isOver = answer.outcome === "failed" || answer.outcome === "absent";
  return isOver ? Promise.resolve(null) : scene.log.find(wanted);
}
