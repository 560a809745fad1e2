import type { Judged } from "../row.ts";
import type { Scene } from "../scene.ts";

/** One way around the policy: tried, then judged. */
export interface Entry {
  /** Stable, for scripts. */
  readonly id: string;
  /** What is tried, as a person would say it. */
  readonly title: string;
  readonly run: (scene: Scene) => Promise<Judged>;
}
