/** What the keeper of the gates is told when it starts. */
import type { RefusalKey } from "../../core/gate/refusal.ts";
import type { Folders } from "../../edge/state/folder.ts";
import type { Say } from "../say.ts";
import type { BelievedReport } from "./belief.ts";

export interface GateKeeperOptions {
  readonly folders: Folders;
  readonly gateUid: number;
  /** Named by the operator; else those of resolv.conf. */
  readonly resolvers: readonly { readonly address: string; readonly port: number }[];
  readonly nowMs: () => number;
  readonly say: Say;
  /** What the ids of a scope's refusals are made with. */
  readonly refusalKeyOf: (scope: string) => RefusalKey;
  readonly onReport: (believed: BelievedReport, generation: number) => void;
  /** A gate told what is not believed: of no scope or rule in force, or no host or address. */
  readonly onUnbelieved: () => void;
}
