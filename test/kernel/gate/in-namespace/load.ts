/** Names asked for and pages fetched, again and again: what an agent at work does. */
import type { LoadResult, LoadWish } from "../ask.ts";
import type { Running } from "./agent.ts";
import { exchange } from "./exchange.ts";
import { resolve } from "./resolve.ts";

/** LIMIT: attempts on the way at once; a machine that is slow is not asked for more. */
const AT_ONCE_MAX = 16;
/** Below what the kernel chooses from: a question never meets what conntrack remembers of one before it. */
const PORTS = { first: 20_000, count: 12_000 } as const;
let questions = 0;

/** Begins; `end` waits for what is on the way. */
export function load(wish: LoadWish): Running {
  const failures: { name: string; why: string; atMs: number }[] = [];
  const addresses = new Set<string>();
  const pending = new Set<Promise<void>>();
  const begunMs = performance.now();
  let attempts = 0;
  let succeeded = 0;
  let lastMs = begunMs;
  let longestGapMs = 0;
  const strike = (): void => {
    const one = wish.names[attempts % wish.names.length];
    if (one === undefined || pending.size >= AT_ONCE_MAX) return;
    attempts += 1;
    const atMs = Math.round(performance.now() - begunMs);
    const attempt = fetchOnce(wish, one).then((result) => {
      pending.delete(attempt);
      if (!result.ok) return void failures.push({ name: one.name, why: result.why, atMs });
      const now = performance.now();
      succeeded += 1;
      addresses.add(result.address);
      longestGapMs = Math.max(longestGapMs, now - lastMs);
      lastMs = now;
    });
    pending.add(attempt);
  };
  const timer = setInterval(strike, wish.everyMs);
  const look = (): LoadResult => ({
    attempts,
    succeeded,
    failures,
    longestGapMs: Math.round(Math.max(longestGapMs, performance.now() - lastMs)),
    addresses: [...addresses],
  });
  return {
    look,
    end: async () => {
      const state = look();
      clearInterval(timer);
      await Promise.all(pending);
      return { ...look(), longestGapMs: state.longestGapMs };
    },
  };
}

type Fetched = { readonly ok: true; readonly address: string } | { readonly ok: false; readonly why: string };

async function fetchOnce(wish: LoadWish, one: LoadWish["names"][number]): Promise<Fetched> {
  const { name, type } = one;
  const { server, limitMs, askAgainMs } = wish;
  const untilMs = performance.now() + limitMs;
  const left = (): number => Math.max(1, untilMs - performance.now());
  if (one.address !== undefined) return fetchPage(one, one.address, limitMs);
  for (;;) {
    const waitMs = Math.min(askAgainMs, left());
    const found = await resolve({
      do: "resolve",
      server,
      name,
      type,
      over: "udp",
      from: freshPort(),
      waitMs,
    });
    if (found.kind === "failed" && found.code === "timeout" && left() > 1) continue;
    if (found.kind === "failed") return { ok: false, why: `DNS ${found.code} after ${found.tookMs} ms` };
    const address = found.values.at(-1);
    if (address === undefined)
      return { ok: false, why: `DNS rcode ${found.rcode} ${found.extendedError?.text ?? ""}` };
    return fetchPage(one, address, left());
  }
}

async function fetchPage(
  { name, port, tls }: LoadWish["names"][number],
  address: string,
  waitMs: number,
): Promise<Fetched> {
  const text = `GET / HTTP/1.1\r\nHost: ${port === 80 || tls ? name : `${name}:${port}`}\r\nConnection: close\r\n\r\n`;
  const page = await exchange({ do: "exchange", address, port, tls: tls ? { name } : null, text, waitMs });
  if (page.kind === "answer" && page.text.includes(`REACHED ${name}`)) return { ok: true, address };
  return { ok: false, why: `${address}: ${page.kind === "failed" ? page.code : page.text.slice(0, 300)}` };
}

function freshPort(): number {
  questions += 1;
  return PORTS.first + (questions % PORTS.count);
}
