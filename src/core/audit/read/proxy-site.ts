/** What the configuration of a proxy says about one site that it passes on. */
export interface ConfiguredSite {
  /** The names it answers to; empty for every name. */
  readonly names: readonly string[];
  readonly ports: readonly number[];
  readonly upstreams: readonly string[];
  readonly authentication: readonly string[];
  readonly rateLimited: boolean;
  /** Headers of identity that a client may write itself. */
  readonly passes: readonly string[];
  /** Response headers, in lower case, that are also sent when the upstream does not answer. */
  readonly onErrors: readonly string[];
}

/** Headers by which OpenClaw, or a proxy before it, is told who somebody is. */
export const IDENTITY_HEADERS = [
  "forwarded",
  "x-real-ip",
  "x-forwarded-user",
  "tailscale-user-login",
  "x-openclaw-scopes",
];
