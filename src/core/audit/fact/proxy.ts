import type { Reading } from "../reading.ts";

/** One answer of the proxy over a connection that the audit made. */
export interface ProxyAnswer {
  /** `GET /`, `GET /v1/models`, `WebSocket /`. */
  readonly request: string;
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** One name that the proxy serves. */
export interface ProxySite {
  readonly name: string;
  readonly tls: Reading<{
    readonly validUntilMs: number;
    readonly trusted: boolean;
    readonly why: string;
    readonly version: string;
  }>;
  readonly answers: readonly ProxyAnswer[];
  /** `http://` of the same name. */
  readonly plain: Reading<{ readonly status: number; readonly location: string | null }>;
  readonly upstreams: readonly string[];
  /** Headers of a request that reach the upstream as the client wrote them. */
  readonly passes: Reading<readonly string[]>;
  readonly authentication: readonly string[];
  readonly rateLimited: boolean;
  /** Whether the configuration sets the header also on errors of the proxy itself (502). */
  readonly onErrors: Reading<readonly string[]>;
}

export interface ProxyFacts {
  readonly kind: "caddy" | "nginx";
  readonly version: string | null;
  readonly sites: readonly ProxySite[];
  /** Caddy: where the admin API is; nginx has none. */
  readonly admin: Reading<string>;
  readonly configValid: Reading<{ readonly ok: boolean; readonly said: string }>;
  readonly loadedIsFile: Reading<boolean>;
  /** nginx: locations whose own add_header drops the inherited ones. */
  readonly lostHeaders: readonly string[];
  readonly banner: boolean;
  readonly oldTls: readonly string[];
  readonly unknownNameRefused: Reading<boolean>;
}
