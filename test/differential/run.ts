/**
 * Runs in a network namespace: policy text -> parse -> resolve -> evaluate on one side, -> compile -> nft ->
 * the kernel on the other, and every packet's fate compared. Argument: a list of RunRequest as JSON; prints
 * the list of their reports as JSON.
 */
import { pathToFileURL } from "node:url";
import { compileNftables } from "../../src/core/compile/nftables/compile.ts";
import { renderRuleset } from "../../src/core/compile/nftables/render.ts";
import { checkPolicy } from "../../src/core/policy/check.ts";
import type { Decision } from "../../src/core/policy/decision.ts";
import { evaluator } from "../../src/core/policy/evaluate.ts";
import type { ResolvedPolicy } from "../../src/core/policy/resolved.ts";
import { formatIp } from "../../src/core/net/ip.ts";
import { type DrawnPolicy, randomPolicy } from "../support/random-policy.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { nftLoad } from "../support/wire/nft.ts";
import { ipBytes } from "../support/wire/packet.ts";
import { makeProber, type Prober, type Seen } from "../support/wire/probe.ts";
import { buildWorld } from "../support/wire/world.ts";
import { type Atom, atomsOf } from "./atom.ts";
import { CASES } from "./case.ts";
import { divertedBy, isDivertedFate } from "./diverted.ts";
import { CounterTally, readCounters } from "./counter.ts";
import { type MutationName, mutationNamed } from "./mutation.ts";

export interface RunRequest {
  /** Random policies from this seed on, or those written by hand (case.ts) when it is null. */
  readonly firstSeed: number | null;
  readonly policies: number;
  /** LIMIT: packets of one policy. */
  readonly packetsPerPolicy: number;
  /** A mistake to plant in what the kernel gets; `evaluate` never sees it. */
  readonly mutation?: MutationName;
}

/** Mismatches of each policy without a mutation, so that a mutation is caught by its own work only. */
export type Baseline = Map<string, number>;

export interface RunReport {
  readonly policies: number;
  readonly packets: number;
  readonly mismatches: number;
  /** Rules whose counter in the kernel is not what `evaluate` says it decided. */
  readonly counterMismatches: number;
  /** Policies whose ruleset nft refused. */
  readonly loadFailures: number;
  /** Policies with a place for the mutation, and how many of those showed it. */
  readonly mutated: number;
  readonly caught: number;
  readonly verdicts: Readonly<Record<Seen, number>>;
  readonly reasons: Readonly<Record<string, number>>;
  readonly strays: number;
  readonly packetsPerSecond: number;
  readonly seconds: number;
  /** The first mismatches, to be replayed by seed. */
  readonly examples: readonly string[];
}

/** LIMIT: sentences in a report, and packets of one policy among them. */
const EXAMPLES_MAX = 24;
const POLICY_MISMATCHES_SHOWN = 2;
const ACCOUNTS = { uidOf: () => undefined, subuidsOf: () => [] };

export function runDifferential(request: RunRequest, prober: Prober, baseline: Baseline): RunReport {
  const started = performance.now();
  const straysBefore = prober.strays();
  const tally = new Tally();
  for (const drawn of policiesOf(request)) {
    if (request.mutation !== undefined) addBaseline(drawn, request, prober, baseline);
    runPolicy(drawn, request, prober, tally, baseline);
  }
  return tally.report(prober.strays() - straysBefore, (performance.now() - started) / 1000);
}

/** A mutation has to show in the policies written by hand and the random ones together. */
function* policiesOf({ firstSeed, policies, mutation }: RunRequest): Iterable<DrawnPolicy> {
  if (firstSeed === null || mutation !== undefined) yield* CASES;
  if (firstSeed === null) return;
  for (let seed = firstSeed; seed < firstSeed + policies; seed += 1) yield randomPolicy(seed);
}

function addBaseline(
  drawn: DrawnPolicy,
  { packetsPerPolicy }: RunRequest,
  prober: Prober,
  baseline: Baseline,
): void {
  const key = `${drawn.label} ${packetsPerPolicy}`;
  if (baseline.has(key)) return;
  const tally = new Tally();
  runPolicy(drawn, { firstSeed: null, policies: 1, packetsPerPolicy }, prober, tally, baseline);
  baseline.set(key, tally.mismatches);
}

function runPolicy(
  drawn: DrawnPolicy,
  request: RunRequest,
  prober: Prober,
  tally: Tally,
  baseline: ReadonlyMap<string, number>,
): void {
  const nowMs = Date.now();
  const check = checkPolicy(drawn.text, { nowMs, readSets: () => ({ sets: new Map(), diagnostics: [] }) });
  if (check.policy === null)
    throw new Error(`${drawn.label}: ${JSON.stringify(check.diagnostics)}\n${drawn.text}`);
  const ruleset = rulesetFor(check.policy, request.mutation, drawn);
  if (ruleset === undefined) return;
  try {
    nftLoad(ruleset);
  } catch (error) {
    // The previous policy is still in force, so there is nothing to compare.
    tally.loadFailure(`${drawn.label}: ${String(error)}`);
    return;
  }
  const judge = evaluator(check.policy);
  const atoms = atomsOf(drawn, request.packetsPerPolicy);
  const diverted = divertedBy(check.policy);
  const counters = new CounterTally();
  const before = tally.mismatches;
  const sendingStarted = performance.now();
  for (const atom of atoms) {
    const decision = atom.flow === null ? null : judge(atom.flow, nowMs);
    const seen = send(prober, atom);
    tally.packet(decision, seen);
    const isDiverted = diverted(atom, decision);
    if (decision !== null && !isDiverted) counters.add(atom, decision);
    if (isDiverted ? isDivertedFate(seen, atom) : seen === expected(decision)) continue;
    tally.mismatches += 1;
    if (tally.mismatches - before <= POLICY_MISMATCHES_SHOWN) {
      tally.example(explain(drawn, atom, decision, seen));
    }
  }
  tally.sendingMs += performance.now() - sendingStarted;
  tally.policies += 1;
  if (request.mutation !== undefined) {
    tally.mutated += 1;
    const known = baseline.get(`${drawn.label} ${request.packetsPerPolicy}`) ?? 0;
    if (tally.mismatches - before > known) tally.caught += 1;
    return;
  }
  if (tally.mismatches > before) tally.example(`${drawn.label} is\n${drawn.text}`);
  for (const problem of counters.compare(check.policy, readCounters())) {
    tally.counterMismatch(`${drawn.label}: ${problem}`);
  }
}

/** The compiled text, with a planted mistake when one is asked for; undefined when it has no place here. */
function rulesetFor(
  policy: ResolvedPolicy,
  mutation: MutationName | undefined,
  drawn: DrawnPolicy,
): string | undefined {
  const change = mutation === undefined ? undefined : mutationNamed(mutation);
  const random = seededRandom(drawn.seed * 2 + 1);
  const given = change?.kind === "policy" ? change.apply(policy, random) : policy;
  if (given === undefined) return undefined;
  const compiled = compileNftables(given, { generation: 1, accounts: ACCOUNTS });
  if (!compiled.ok)
    throw new Error(`${drawn.label} does not compile: ${JSON.stringify(compiled.diagnostics)}`);
  const text = renderRuleset(compiled.ruleset, []);
  return change?.kind === "text" ? change.apply(text, random) : text;
}

function expected(decision: Decision | null): Seen {
  return decision === null || decision.observed ? "accept" : decision.verdict;
}

function send(prober: Prober, atom: Atom): Seen {
  const { protocol, port, withOptions } = atom;
  const destination = ipBytes(atom.destination);
  const shared = { destination, protocol, port, withOptions };
  if (atom.from.kind === "user") return prober.outbound({ uid: atom.from.uid, ...shared });
  const source = ipBytes(atom.from.source);
  const known = atom.fromPort === null ? {} : { sourcePort: atom.fromPort };
  return prober.inbound({ interface: atom.from.interface, source, ...shared, ...known });
}

function explain(drawn: DrawnPolicy, atom: Atom, decision: Decision | null, seen: Seen): string {
  const { from } = atom;
  const sender = from.kind === "user" ? `uid ${from.uid}` : `${from.interface} from ${formatIp(from.source)}`;
  const what = `${atom.direction} ${sender} to ${formatIp(atom.destination)}`;
  const said = decision === null ? "not judged" : JSON.stringify(decision);
  return `${drawn.label}: ${what} ${atom.protocol}/${atom.port}${atom.withOptions ? " with options" : ""}: seen ${seen}, expected ${expected(decision)} (${said})`;
}

class Tally {
  policies = 0;
  packets = 0;
  mismatches = 0;
  counterMismatches = 0;
  loadFailures = 0;
  mutated = 0;
  caught = 0;
  sendingMs = 0;
  readonly verdicts: Record<Seen, number> = { accept: 0, refuse: 0, drop: 0 };
  readonly reasons: Record<string, number> = {};
  readonly examples: string[] = [];

  packet(decision: Decision | null, seen: Seen): void {
    this.packets += 1;
    this.verdicts[seen] += 1;
    const reason =
      decision === null ? "nobody's" : `${decision.reason}${decision.observed ? ", observed" : ""}`;
    this.reasons[reason] = (this.reasons[reason] ?? 0) + 1;
  }

  example(text: string): void {
    if (this.examples.length < EXAMPLES_MAX) this.examples.push(text);
  }

  loadFailure(example: string): void {
    this.loadFailures += 1;
    this.example(example);
  }

  counterMismatch(example: string): void {
    this.counterMismatches += 1;
    this.example(example);
  }

  report(strays: number, seconds: number): RunReport {
    const {
      policies,
      packets,
      mismatches,
      counterMismatches,
      loadFailures,
      mutated,
      caught,
      verdicts,
      reasons,
      examples,
    } = this;
    const packetsPerSecond = Math.round(packets / (this.sendingMs / 1000));
    const totals = { policies, packets, mismatches, counterMismatches, loadFailures, mutated, caught };
    return {
      ...totals,
      verdicts,
      reasons,
      strays,
      packetsPerSecond,
      seconds: Math.round(seconds * 10) / 10,
      examples,
    };
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const requests = JSON.parse(process.argv[2] ?? "[]") as readonly RunRequest[];
  const prober = makeProber(buildWorld());
  const baseline: Baseline = new Map();
  process.stdout.write(
    `${JSON.stringify(requests.map((request) => runDifferential(request, prober, baseline)))}\n`,
  );
}
