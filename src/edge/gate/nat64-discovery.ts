/**
 * Asks the network's resolver for its NAT64 prefix (RFC 7050), so that what it translates is judged by the address
 * inside. Asked only once IPv6 addresses are there to be judged: most networks have none.
 */
import { TYPE } from "../../core/dns/message.ts";
import { discover, DISCOVERY_NAME, type Nat64 } from "../../core/gate/nat64.ts";
import type { Upstream } from "./upstream.ts";

/** How long what was learnt counts. */
const KNOWN_MS = 3_600_000;
/** LIMIT: how long an answer is held back for it. */
const WAIT_MS = 500;

/** Returns resolvers that are asked for the prefix before their first IPv6 answer is given; `learn` is told it. */
export function withNat64(
  upstream: Upstream,
  nowMs: () => number,
  learn: (found: Nat64 | null) => void,
): Upstream {
  let untilMs = 0;
  let asking: Promise<void> = Promise.resolve();
  const discoverAgain = async (): Promise<void> => {
    const question = { name: DISCOVERY_NAME, type: TYPE.AAAA, dnssecOk: false, checkingDisabled: false };
    const reply = await upstream.ask(question);
    if (reply.ok) learn(reply.answer.addresses.map(discover).find((found) => found !== null) ?? null);
  };
  return {
    ...upstream,
    ask: async (question) => {
      const reply = await upstream.ask(question);
      if (question.type !== TYPE.AAAA || !reply.ok || reply.answer.addresses.length === 0) return reply;
      if (nowMs() >= untilMs) {
        untilMs = nowMs() + KNOWN_MS;
        asking = Promise.race([
          discoverAgain(),
          new Promise<void>((over) => setTimeout(over, WAIT_MS).unref()),
        ]);
      }
      await asking;
      return reply;
    },
  };
}
