/** What child/applied.ts measures in each round, ms. */
export interface AppliedRound {
  /** Loading our modules, once a process. */
  readonly importMs: number;
  readonly readSetsMs: number;
  readonly checkMs: number;
  readonly compileMs: number;
  /** Compiling again, filling sets, loading, remembering. */
  readonly applyMs: number;
  /** Text to enforced, without the start of the process and its modules. */
  readonly wholeMs: number;
}
