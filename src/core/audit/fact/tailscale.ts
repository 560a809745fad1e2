export interface TailscaleFacts {
  readonly running: boolean;
  /** `https://host.tailnet.ts.net:443 -> http://127.0.0.1:18789`, with whether the world reaches it. */
  readonly serves: readonly {
    readonly text: string;
    readonly funnel: boolean;
    readonly port: number | null;
  }[];
}
