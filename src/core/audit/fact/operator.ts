/** One login over SSH that is open now, by its two ends. */
export interface OperatorSession {
  readonly peer: string;
  /** The address and port of this host that it came to. */
  readonly address: string;
  readonly port: number;
}

export interface OperatorFacts {
  /** Who called the audit: the account behind sudo, for the words of an advice and nothing else. */
  readonly user: string | null;
  readonly sessions: readonly OperatorSession[];
}
