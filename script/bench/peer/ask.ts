/** What the agent's uid sees of a resolver: answers a second under load, and the time of a first answer. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../command.ts";
import { toolEnvironment, toolPath } from "../tool.ts";
import type { Place } from "./resolvers.ts";
import type { Running } from "./running.ts";
import { asAgent, within } from "./wire.ts";
import { INDEX_MAX, zoneAddressText, zoneName } from "./zone.ts";

export interface Load {
  readonly perSecond: number;
  readonly answers: number;
}

/** Addresses that the names of the load share, as services behind few addresses do. */
const LOAD_ADDRESSES = 1_000;
const CLIENTS = 4;
const OUTSTANDING = 50;
const ANSWER_LIMIT_SECONDS = 2;
/** A resolver that answers less than a thousand questions a second is cut off, and then too few are answered. */
const LOAD_LIMIT_SECONDS = 15;
/** Under it the rate is of a resolver that drops; a datagram may be lost on a busy machine. */
const ANSWERED_SHARE_MIN = 0.999;
/** Asked before the names that count: what runs for the first time is slow. */
const WARM_UP = 1;

/** Names that nobody asked for yet, so that no cache can answer. */
export interface FreshNames {
  /** Of the load: above every index, which is the number of a name with an address of its own. */
  nextNumber: number;
  /** Addresses that nobody had yet, behind those of the load. */
  nextIndex: number;
}

export function freshNames(): FreshNames {
  return { nextNumber: INDEX_MAX + 1, nextIndex: LOAD_ADDRESSES };
}

/** Asks `count` new names with dnsperf(1), 50 at a time, and returns the rate. Throws when answers are missing. */
export function askMany(place: Place, fresh: FreshNames, count: number): Load {
  const { context, namespace, resolver } = place;
  const path = join(context.folder, "names.txt");
  const lines = Array.from({ length: count }, (_, at) => {
    return `${zoneName(fresh.nextNumber + at, at % LOAD_ADDRESSES)} A\n`;
  });
  fresh.nextNumber += count;
  writeFileSync(path, lines.join(""));
  const dnsperf = [toolPath(context.tools, "dnsperf"), "-s", resolver.asks(place), "-d", path, "-n", "1"];
  const limits = ["-t", String(ANSWER_LIMIT_SECONDS), "-l", String(LOAD_LIMIT_SECONDS)];
  const load = ["-c", String(CLIENTS), "-q", String(OUTSTANDING), "-W", ...limits];
  const said = run(within(namespace, asAgent([...dnsperf, ...load])), {
    env: toolEnvironment(context.tools),
  });
  const perSecond = Number(/Queries per second:\s+([0-9.]+)/.exec(said)?.[1]);
  const answers = Number(/Response codes:\s+NOERROR (\d+)/.exec(said)?.[1] ?? 0);
  if (!(answers >= count * ANSWERED_SHARE_MIN)) {
    throw new Error(`${resolver.name} answered ${answers} of ${count} questions`);
  }
  return { perSecond, answers };
}

/** Asks for `count` names with addresses that nobody had yet, one at a time, and returns the times of the answers, us. */
export function askFirst(place: Place, fresh: FreshNames, count: number): readonly number[] {
  const script = fileURLToPath(new URL("../child/first-answers.ts", import.meta.url));
  const asked = count + WARM_UP;
  const range = [String(fresh.nextIndex), String(asked)];
  fresh.nextIndex += asked;
  const argv = [process.execPath, script, place.resolver.asks(place), ...range];
  const times = JSON.parse(run(within(place.namespace, asAgent(argv)))) as readonly number[];
  return times.slice(WARM_UP);
}

/**
 * Throws when a resolver that pins answered without having the address in the kernel: its time would mean nothing.
 * Ends the resolver: nft(8) begins a listing anew whenever something changes under it, and a long one never ends.
 */
export function requirePinned(place: Place, fresh: FreshNames, running: Running): void {
  const { table, name } = place.resolver;
  if (table === null) return;
  askFirst(place, fresh, 1);
  running.stop();
  const address = zoneAddressText(fresh.nextIndex - 1);
  const listed = run(within(place.namespace, ["nft", "list", "table", "inet", table]));
  if (!listed.includes(address)) throw new Error(`${name} answered and did not pin ${address}`);
}
