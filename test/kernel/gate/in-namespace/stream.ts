/** A connection that ticks for as long as it lives. */
import { connect } from "node:net";
import type { StreamState, StreamWish } from "../ask.ts";
import type { Running } from "./agent.ts";
import { secured } from "./exchange.ts";

const BEGIN_MS = 4_000;

export interface Stream extends Running {
  /** Resolves to whether it ticks. */
  readonly begun: Promise<boolean>;
}

/** Opens a stream and watches it. */
export function stream({ address, port, tls, host }: StreamWish): Stream {
  const socket = connect({ host: address, port, noDelay: true });
  const end = tls === null ? socket : secured(socket, tls.name);
  let ticks = 0;
  let lastMs = performance.now();
  let longestSilenceMs = 0;
  let endedMs: number | null = null;
  const over = (): void => {
    endedMs ??= performance.now();
  };
  const begun = new Promise<boolean>((done) => {
    const timer = setTimeout(() => done(false), BEGIN_MS);
    const settle = (): void => {
      clearTimeout(timer);
      done(ticks > 0);
    };
    end.on("data", (chunk: Buffer) => {
      const heard = chunk.toString("latin1").split("tick").length - 1;
      if (heard === 0) return;
      const now = performance.now();
      if (ticks > 0) longestSilenceMs = Math.max(longestSilenceMs, now - lastMs);
      ticks += heard;
      lastMs = now;
      settle();
    });
    for (const one of new Set([socket, end])) {
      one.on("error", over);
      one.on("close", () => {
        over();
        settle();
      });
    }
  });
  end.write(`GET /stream HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const look = (): StreamState => ({
    ticks,
    open: endedMs === null,
    longestSilenceMs: Math.round(longestSilenceMs),
    endedMsAgo: endedMs === null ? null : Math.round(performance.now() - endedMs),
  });
  return {
    begun,
    look,
    end: () => {
      const state = look();
      socket.destroy();
      return state;
    },
  };
}
