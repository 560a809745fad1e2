/** How seawalld is, in the run folder: on a full or read-only disk `status` has to be able to say that. */
import type { DatedTrouble } from "../core/gate/trouble.ts";
import type { DaemonHealth } from "../edge/state/daemon-health.ts";
import { writeDaemonHealth } from "../edge/state/daemon-health.ts";
import type { PipelineStats } from "./pipeline.ts";

/** How often it is written though nothing changed. */
const AGAIN_MS = 5_000;

/** Returns a function that takes what the pipeline and the gates' keeper say, and writes it down when it is new. */
export function createHealth(
  run: string,
  nowMs: () => number,
): (stats: PipelineStats, gate: readonly DatedTrouble[]) => void {
  let written = "";
  let writtenMs = 0;
  return (stats, gate) => {
    const health = { ...healthOf(stats), gate };
    const text = JSON.stringify(health);
    if (text === written && Math.abs(nowMs() - writtenMs) < AGAIN_MS) return;
    writeDaemonHealth(run, health, nowMs());
    written = text;
    writtenMs = nowMs();
  };
}

function healthOf({ failure, store, lost }: PipelineStats): DaemonHealth {
  const trouble = [failure, store.state === "failed" ? store.why : null].filter((one) => one !== null);
  return { trouble, lost: lost.kernel + lost.socket + lost.queue + lost.store };
}
