import type { Change } from "../edit/change.ts";

/**
 * What a version of the policy language changed: from `from` to the one after it. Changes are made on the
 * text, so that comments and layout stay; the number of `version:` is changed by migrate.ts.
 */
export interface MigrationStep {
  readonly from: number;
  /** For a person: "`why` is called `because`". */
  readonly what: string;
  /** Returns the changes for a text of `from`; none when it uses nothing of what changed. */
  readonly changes: (text: string) => readonly Change[];
}

/**
 * Every step, oldest first. There is one version so far, so there is none.
 * INVARIANT: never edit a step that was released; add the next.
 */
export const STEPS: readonly MigrationStep[] = [];
