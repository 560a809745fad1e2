/**
 * The DNS gate beside dnsmasq, which puts the addresses of its answers into an nft set as well (`--nftset`). Every name
 * is asked once, so that all of them are forwarded; the addresses have to be in the kernel before the answer counts.
 */
import { requireProgram, run } from "../command.ts";
import type { BenchContext } from "../context.ts";
import { askFirst, askMany, freshNames, type FreshNames, requirePinned } from "../peer/ask.ts";
import { startUpstream, type Upstream } from "../peer/dns-upstream.ts";
import {
  DNSMASQ,
  DNSMASQ_LIST,
  DNSMASQ_PIN,
  GATE,
  type Place,
  PREFIXES,
  RESOLVERS,
  SEAWALL,
  SEAWALL_LIST,
} from "../peer/resolvers.ts";
import type { Running } from "../peer/running.ts";
import { peerVersions } from "../peer/version.ts";
import { connectEnds, makeNamespace } from "../peer/wire.ts";
import { named } from "../peer/named.ts";
import { type BenchResult, compare, type Comparison, figuresOf } from "../result.ts";
import { interleave, type Samples, summarize } from "../sample.ts";

const ROUNDS = 7;
const ROUNDS_QUICK = 2;
const ROUNDS_LIST = 3;
const QUESTIONS = 15_000;
const QUESTIONS_QUICK = 5_000;
const UPSTREAM = "upstream";

/** Returns rates, times of first answers, and their ratios. */
export async function measure(context: BenchContext): Promise<BenchResult> {
  for (const [program, from] of PROGRAMS) requireProgram(program, from);
  const running: Running[] = [];
  try {
    makeNamespace(UPSTREAM);
    const places = RESOLVERS.map((_, at) => makePlace(context, at));
    const upstream = await startUpstream(context.folder, UPSTREAM);
    running.push(upstream);
    const resolvers = new Map<Place, Running>();
    for (const place of places) {
      const started = await place.resolver.start(place);
      running.push(started);
      resolvers.set(place, started);
    }
    const fresh = freshNames();
    const rates = await measureRates(context, places, fresh, upstream);
    const firsts = await measureFirstAnswers(context, places, fresh);
    for (const [place, resolver] of resolvers) requirePinned(place, fresh, resolver);
    return {
      name: "dns",
      title: "forwarded answers, with their addresses in the kernel",
      figures: [
        ...named("forwarded", figuresOf(rates, "a second")),
        ...named("first answer for a new name", figuresOf(firsts, "us")),
      ],
      comparisons: comparisons(rates, firsts),
      notes: [...NOTES, `Peers: ${peerVersions(context, { dnsmasq: ["-v"], dnsperf: ["-h"] })}.`],
    };
  } finally {
    for (const one of running) one.stop();
  }
}

const PROGRAMS = [
  ["ip", "iproute2"],
  ["ss", "iproute2"],
  ["nft", "nftables"],
  ["setpriv", "util-linux"],
] as const;

const NOTES = [
  "Load generator, resolver and upstream share the processors, so absolute figures are lower bounds.",
  "The rate is dnsperf's with 50 questions outstanding. No name is asked twice and no resolver may cache; the names of the load share 1,000 addresses.",
  "First answers are for names with addresses of their own, one at a time: the median of each round. That the kernel holds them is checked.",
  `The list is one nft set of ${PREFIXES.toLocaleString("en-US")} prefixes in the namespace of the resolver.`,
];

/** A namespace for a resolver and a cable to the upstream, behind which all addresses are. */
function makePlace(context: BenchContext, at: number): Place {
  const resolver = RESOLVERS[at];
  if (resolver === undefined) throw new Error(`there is no resolver ${at}`);
  const namespace = `dns${at}`;
  const host = `11.7.${at}.1`;
  const upstream = `11.7.${at}.2`;
  makeNamespace(namespace, upstream);
  connectEnds(
    { namespace, device: "up0", address: `${host}/24` },
    { namespace: UPSTREAM, device: `down${at}`, address: `${upstream}/24` },
  );
  run(["ip", "-n", namespace, "route", "add", "default", "via", upstream]);
  return { context, resolver, namespace, host, upstream };
}

async function measureRates(
  { quick }: BenchContext,
  places: readonly Place[],
  fresh: FreshNames,
  upstream: Upstream,
): Promise<Samples> {
  const contenders = places
    .filter(({ resolver }) => !resolver.hasList)
    .map((place) => ({
      name: place.resolver.name,
      once: async () => {
        const before = await upstream.answered();
        const { perSecond, answers } = askMany(place, fresh, quick ? QUESTIONS_QUICK : QUESTIONS);
        const forwarded = (await upstream.answered()) - before;
        if (forwarded < answers) throw new Error(`${place.resolver.name} answered without its upstream`);
        return perSecond;
      },
    }));
  return interleave(contenders, quick ? ROUNDS_QUICK : ROUNDS, 1);
}

/** Those beside the list in fewer rounds of their own: dnsmasq needs seconds for one. */
async function measureFirstAnswers(
  { quick }: BenchContext,
  places: readonly Place[],
  fresh: FreshNames,
): Promise<Samples> {
  const contenders = places.map((place) => {
    const { name, firstAnswers, hasList } = place.resolver;
    return { name, hasList, once: () => summarize(askFirst(place, fresh, firstAnswers)).median };
  });
  const rounds = quick ? ROUNDS_QUICK : ROUNDS;
  const bare = await interleave(
    contenders.filter(({ hasList }) => !hasList),
    rounds,
  );
  const beside = await interleave(
    contenders.filter(({ hasList }) => hasList),
    Math.min(rounds, ROUNDS_LIST),
  );
  return new Map([...bare, ...beside]);
}

function comparisons(rates: Samples, firsts: Samples): Comparison[] {
  const rate = { bound: "at least", ratio: 1.5 } as const;
  const first = { bound: "at least", ratio: 100 } as const;
  return [
    ...named("forwarded", [
      compare(rates, { over: SEAWALL, under: DNSMASQ_PIN, goal: rate }),
      compare(rates, { over: GATE, under: DNSMASQ }),
      compare(rates, { over: SEAWALL, under: GATE }),
    ]),
    ...named("first answer", [
      compare(firsts, { over: DNSMASQ_LIST, under: SEAWALL_LIST, goal: first }),
      compare(firsts, { over: DNSMASQ_PIN, under: SEAWALL }),
    ]),
  ];
}
