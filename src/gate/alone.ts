/** `seawall gate`: the gates by themselves, in the foreground: no daemon, no kernel table, nothing written. */
import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import { SeawallError } from "../core/base/error.ts";
import { KEY_BYTES, refusalKey, sayRefusal } from "../core/gate/refusal.ts";
import type { GateReport } from "../core/gate/report.ts";
import { EMPTY_SET } from "../core/net/prefix-set.ts";
import type { ResolvedPolicy } from "../core/policy/resolved.ts";
import { openDns } from "../edge/gate/dns-door.ts";
import { createGate, type Gate } from "../edge/gate/gate.ts";
import { serveProxy } from "../edge/gate/proxy-door.ts";
import { type Listening, openTcp, type Place } from "../edge/gate/tcp-door.ts";
import { createUpstream, type ResolverAddress } from "../edge/gate/upstream.ts";
import { gateUid } from "../edge/host/gate-user.ts";
import { dropRoot } from "./identity.ts";

export interface AloneOptions {
  readonly policy: ResolvedPolicy;
  readonly scope: string;
  readonly proxy: Place | null;
  readonly dns: Place | null;
  readonly upstream: readonly ResolverAddress[];
  readonly json: boolean;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
}

/** LIMIT: lines said in one second; what is beyond is counted and said as a number. */
const LINES_PER_SECOND_MAX = 200;
const REVIEW_STEP_MS = 1_000;

/** Runs until the signal. Refuses when an address cannot be bound. */
export async function runAlone(options: AloneOptions): Promise<void> {
  const { policy, scope: name, proxy, dns, upstream, nowMs, err } = options;
  const { tell, tick } = createTeller(options);
  // Nobody looks these ids up later: they only tell refusals of this run apart.
  const key = refusalKey(randomBytes(KEY_BYTES), "", name);
  const gate = createGate({
    policies: { committed: policy, candidate: null },
    around: { ownAddresses: EMPTY_SET, nat64: null },
    upstream: createUpstream(upstream),
    // Nothing holds an address back here: the gate is the only way, or it is none.
    pinner: { pin: () => Promise.resolve(true) },
    tell,
    refusalKeyOf: () => key,
    nowMs,
    steadyMs: () => performance.now(),
  });
  const doors = await openDoors(gate, options);
  dropRoot(gateUid());
  const places = [
    ...(proxy === null ? [] : [`proxy on ${placeText(proxy)}`]),
    ...(dns === null ? [] : [`DNS on ${placeText(dns)}`]),
  ];
  const watched = policy.mode.outbound === "observe" ? ", only watching" : "";
  err(`seawall-gate: ready: scope ${name}, ${places.join(", ")}${watched}\n`);
  const timer = setInterval(() => {
    tick();
    gate.cutForbidden();
  }, REVIEW_STEP_MS);
  await new Promise<void>((stop) => {
    if (options.signal.aborted) stop();
    else options.signal.addEventListener("abort", () => stop(), { once: true });
  });
  clearInterval(timer);
  for (const door of doors) door.close();
  gate.close();
}

async function openDoors(gate: Gate, { scope: name, proxy, dns }: AloneOptions): Promise<Listening[]> {
  const scope = gate.scope(name);
  const doors: Listening[] = [];
  if (proxy !== null) {
    doors.push(
      await bound(
        proxy,
        openTcp(scope, "proxy", proxy, (client) => serveProxy(scope, client)),
      ),
    );
  }
  if (dns !== null) doors.push(await bound(dns, openDns(scope, dns)));
  return doors;
}

/** Says which address could not be bound, and why. */
async function bound(place: Place, opening: Promise<Listening>): Promise<Listening> {
  try {
    return await opening;
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "unknown";
    throw new SeawallError("SEAWALL_GATE", `cannot listen on ${placeText(place)}: ${code}`, {
      still: "the gate did not start",
      help: "ss -lntup (and name another address)",
      cause,
    });
  }
}

function placeText({ address, port }: Place): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function createTeller({ json, out, err }: AloneOptions): {
  tell: (report: GateReport) => void;
  tick: () => void;
} {
  let said = 0;
  let unsaid = 0;
  return {
    tell: (report) => {
      if (!json && report.id === null) return;
      said += 1;
      if (said > LINES_PER_SECOND_MAX) unsaid += 1;
      else if (json) out(`${JSON.stringify(lineOf(report))}\n`);
      else err(`seawall-gate: ${textOf(report)}\n`);
    },
    tick: () => {
      if (unsaid > 0) err(`seawall-gate: ${unsaid} more in the last second\n`);
      said = 0;
      unsaid = 0;
    },
  };
}

function lineOf({ decision, ...report }: GateReport): object {
  const { verdict, observed, rule, reason, why } = decision;
  return { ...report, verdict, observed, rule, reason, why };
}

function textOf(report: GateReport): string {
  const { message } = sayRefusal({ ...report, id: report.id ?? "" });
  return `${report.id ?? ""} ${report.decision.observed ? message.replace("refused", "would refuse") : message}`;
}
