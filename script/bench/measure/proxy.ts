/**
 * The explicit proxy (`seawall gate`) beside squid, tinyproxy, the proxy of @anthropic-ai/sandbox-runtime, the least
 * that Node can do, and no proxy. All of them run at the same time and are asked in turn.
 */
import { requireProgram } from "../command.ts";
import type { BenchContext } from "../context.ts";
import { CONNECTIONS, type Fetched, fetchThrough } from "../peer/fetch.ts";
import { DOWNLOAD_BYTES, startOrigin } from "../peer/origin.ts";
import { named } from "../peer/named.ts";
import { peerVersion } from "../peer/prepare.ts";
import {
  DIRECT,
  NODE_PIPE,
  PROXIES,
  SANDBOX_RUNTIME,
  SEAWALL,
  SQUID,
  startProxy,
  TINYPROXY,
} from "../peer/proxies.ts";
import type { Running } from "../peer/running.ts";
import { peerVersions } from "../peer/version.ts";
import { type BenchResult, compare, type Comparison, figuresOf, type Goal } from "../result.ts";
import { interleave, pick, type Samples } from "../sample.ts";

const ROUNDS = 7;
const ROUNDS_QUICK = 2;
const PEERS = [SQUID, SANDBOX_RUNTIME, TINYPROXY, NODE_PIPE];

/** Returns the figures of every proxy and the ratios to the peers. */
export async function measure(context: BenchContext): Promise<BenchResult> {
  requireProgram("ip", "iproute2");
  const running: Running[] = [];
  try {
    const { server, upstream, certificate } = await startOrigin(context);
    running.push(server, upstream);
    const fetched = (proxyPort: number, pid: number | null): Fetched =>
      fetchThrough({ context, proxyPort, pid, certificate });
    const contenders = [{ name: DIRECT, once: () => fetched(0, null) }];
    for (const proxy of PROXIES) {
      const started = await startProxy(context, proxy);
      running.push(started);
      contenders.push({ name: proxy.name, once: () => fetched(proxy.port, started.child.pid ?? null) });
    }
    const samples = await interleave(
      contenders,
      context.quick ? ROUNDS_QUICK : ROUNDS,
      context.quick ? 0 : 1,
    );
    return resultOf(context, samples);
  } finally {
    for (const one of running) one.stop();
  }
}

function resultOf(context: BenchContext, samples: ReadonlyMap<string, readonly Fetched[]>): BenchResult {
  const connect = pick(samples, (one) => one.connectUs);
  const requests = pick(samples, (one) => one.requestsPerSecond);
  const download = pick(samples, (one) => one.downloadMbPerSecond);
  const proxies = new Map([...samples].filter(([name]) => name !== DIRECT));
  const requestCpu = pick(proxies, (one) => one.requestCpuUs);
  const downloadCpu = pick(proxies, (one) => one.downloadCpuMsPerGb);
  return {
    name: "proxy",
    title: "a client's view of the explicit proxy",
    figures: [
      ...named("connection and small answer", figuresOf(connect, "us")),
      ...named("new TLS requests", figuresOf(requests, "a second")),
      ...named("TLS download", figuresOf(download, "MB/s")),
      ...named("CPU time of a new TLS request", figuresOf(requestCpu, "us")),
      ...named("CPU time of a TLS download", figuresOf(downloadCpu, "ms a GB")),
    ],
    comparisons: [
      ...against("connection and small answer", connect, {
        [SQUID]: { bound: "at most", ratio: 1 },
        [SANDBOX_RUNTIME]: { bound: "at most", ratio: 1 },
      }),
      ...against("new TLS requests", requests, { [SANDBOX_RUNTIME]: { bound: "at least", ratio: 0.9 } }),
      ...against("TLS download", download, { [SANDBOX_RUNTIME]: { bound: "at least", ratio: 1.1 } }),
      ...against("CPU time of a new TLS request", requestCpu, {}),
      ...against("CPU time of a TLS download", downloadCpu, {}),
    ],
    notes: notes(context),
  };
}

function against(figure: string, samples: Samples, goals: Readonly<Record<string, Goal>>): Comparison[] {
  return named(
    figure,
    PEERS.map((peer) => {
      const goal = goals[peer];
      return compare(samples, { over: SEAWALL, under: peer, ...(goal === undefined ? {} : { goal }) });
    }),
  );
}

function notes(context: BenchContext): string[] {
  return [
    "Client, proxy and origin share the processors, so absolute figures are lower bounds. The CPU time is the proxy's own; it hardly changes when others use the machine, the rates do.",
    `A connection is TCP, tunnel and a small answer without TLS, one at a time: the median of ${CONNECTIONS} of them a round. Requests are eight at a time, each with a full handshake (P-256).`,
    `A download is ${DOWNLOAD_BYTES / 2 ** 20} MiB in one connection. No proxy caches, decrypts or writes a log; the peers find the origin's name in /etc/hosts, Seawall asks its resolver.`,
    `Peers: ${peerVersions(context, { squid: ["-v"], tinyproxy: ["-v"], nginx: ["-v"], curl: ["-V"] })}; sandbox-runtime ${peerVersion(context.root)} is its HTTP proxy with its own name matcher, without its check of resolved addresses and its token.`,
  ];
}
