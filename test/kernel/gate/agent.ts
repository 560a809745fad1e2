/** A process of one user on the host, as a test speaks to it. */
import type {
  Ask,
  Exchanged,
  HammerWish,
  LoadResult,
  LoadWish,
  Lookup,
  Resolved,
  StreamState,
  StreamWish,
  Target,
} from "./ask.ts";
import { RESOLVER } from "./zone.ts";

type Over = Partial<Pick<Lookup, "server" | "over" | "type" | "port" | "from" | "waitMs">>;

export interface Agent {
  /** Asks for an A record over UDP unless told otherwise. */
  readonly resolve: (name: string, over?: Over) => Promise<Resolved>;
  /** Resolves a name and gets a page of it; `address` goes there without asking. */
  readonly https: (name: string, options?: PageOptions) => Promise<string>;
  readonly http: (name: string, options?: PageOptions) => Promise<string>;
  /** The same over bytes of one's own choice. */
  readonly send: (
    target: Target,
    text: string,
    options?: { tls?: string | null; pieceBytes?: number; waitMs?: number },
  ) => Promise<string>;
  readonly datagram: (target: Target, text?: string, from?: number) => Promise<string>;
  readonly ping: (address: string) => Promise<string>;
  readonly listen: (target: Target, text: string) => Promise<void>;
  /** Opens a stream under a key; resolves to whether it ticks. */
  readonly openStream: (wish: Omit<StreamWish, "do">) => Promise<boolean>;
  readonly stream: (key: string) => Promise<StreamState>;
  readonly startLoad: (wish: Omit<LoadWish, "do" | "server"> & { server?: string }) => Promise<void>;
  readonly lookAtLoad: (key: string) => Promise<LoadResult>;
  readonly endLoad: (key: string) => Promise<LoadResult>;
  readonly startHammer: (wish: Omit<HammerWish, "do">) => Promise<void>;
  readonly end: (key: string) => Promise<unknown>;
}

export interface PageOptions {
  readonly address?: string;
  readonly type?: "A" | "AAAA";
  readonly port?: number;
  readonly path?: string;
  /** In the Host header, instead of the name. */
  readonly host?: string;
  readonly pieceBytes?: number;
}

/** Returns what a test may want from a process that answers `ask`. A page is its whole text, or `failed: CODE`. */
export function agentOf(ask: <Answer>(wish: Ask) => Promise<Answer>): Agent {
  const resolve: Agent["resolve"] = (name, over = {}) =>
    ask({ do: "resolve", server: RESOLVER, name, type: "A", over: "udp", ...over });
  const send: Agent["send"] = async (target, text, { tls, ...options } = {}) => {
    const secured = tls === undefined ? null : { name: tls };
    const result = await ask<Exchanged>({ do: "exchange", ...target, tls: secured, text, ...options });
    return result.kind === "answer" ? result.text : `failed: ${result.code}${result.text}`;
  };
  const page = async (name: string, options: PageOptions, defaultPort: number): Promise<string> => {
    const { type = "A", port = defaultPort, path = "/", host = name, pieceBytes } = options;
    const address = options.address ?? (await addressOf(resolve, name, type));
    if (address === null) return "failed: no address";
    const text = `GET ${path} HTTP/1.1\r\nHost: ${port === defaultPort ? host : `${host}:${port}`}\r\nConnection: close\r\n\r\n`;
    const tls = defaultPort === 443 ? { tls: name } : {};
    return send({ address, port }, text, { ...tls, ...(pieceBytes === undefined ? {} : { pieceBytes }) });
  };
  return {
    resolve,
    send,
    https: (name, options = {}) => page(name, options, 443),
    http: (name, options = {}) => page(name, options, 80),
    datagram: (target, text = "x", from = 0) => ask({ do: "datagram", ...target, text, from }),
    ping: (address) => ask({ do: "ping", address }),
    listen: async (target, text) => void (await ask({ do: "listen", ...target, text })),
    openStream: (wish) => ask({ do: "stream", ...wish }),
    stream: (key) => ask({ do: "look", key }),
    startLoad: async (wish) => void (await ask({ do: "load", server: RESOLVER, ...wish })),
    lookAtLoad: (key) => ask({ do: "look", key }),
    endLoad: (key) => ask({ do: "end", key }),
    startHammer: async (wish) => void (await ask({ do: "hammer", ...wish })),
    end: (key) => ask({ do: "end", key }),
  };
}

async function addressOf(resolve: Agent["resolve"], name: string, type: string): Promise<string | null> {
  const found = await resolve(name, { type });
  return found.kind === "answer" ? (found.values.at(-1) ?? null) : null;
}
