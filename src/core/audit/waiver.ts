/** What the operator says about checks: failures that are accepted for a time, and facts only a person can know. */

export interface Waiver {
  readonly check: string;
  readonly why: string;
  readonly owner: string;
  /** `2027-01-31`: the last day on which it holds (UTC). */
  readonly expires: string;
}

export interface Attestation {
  readonly check: string;
  /** What is stated: `limit of 50 USD a month at Anthropic`. */
  readonly says: string;
  readonly owner: string;
  /** `2026-11-21`: when it was stated (UTC). */
  readonly on: string;
}
