import type { SeawallError } from "../core/base/error.ts";
import type { FlowEvent } from "../core/event/event.ts";
import type { RefusalKey } from "../core/gate/refusal.ts";
import { withRefusal } from "../core/event/refusal.ts";
import { createNflogDecoder, type NflogRecord } from "../core/event/decode/nflog.ts";
import { createSequenceCheck } from "../core/event/decode/sequence.ts";
import { readLineEpochs } from "../edge/kernel/line-counters.ts";
import { createInterfaceNames } from "../edge/kernel/netlink/interface-name.ts";
import { openNflog } from "../edge/kernel/nflog.ts";
import { createGuard } from "./guarded.ts";
import {
  createRecorder,
  FLUSH_INTERVAL_MS,
  type RecorderOptions,
  type RecorderStats,
} from "./event-recorder.ts";

export interface PipelineOptions extends RecorderOptions {
  /** The nfnetlink_log group, NFLOG_GROUP outside of tests. */
  readonly group: number;
  /** What the ids of a scope's refusals are made with. */
  readonly refusalKeyOf: (scope: string) => RefusalKey;
}

export interface PipelineStats extends RecorderStats {
  /** Flow events read from the kernel. */
  readonly read: number;
  /** Packets that rules of others logged to our group. */
  readonly foreign: number;
  /** Reports of a gate that were not believed, and not kept. */
  readonly doubted: number;
  /** Reports of a gate with another id than theirs: they are kept with theirs. */
  readonly corrected: number;
  /** Packets of ours that could not be read. */
  readonly malformed: number;
  /** Why nothing is read any more, or null. */
  readonly failure: string | null;
}

export interface Pipeline {
  /** Takes an event that did not come from the kernel. */
  add(event: FlowEvent): void;
  /** Counts a report of a gate that is not believed, or whose id is ours and not the one that it gave. */
  doubt(what: "report" | "id"): void;
  stats(): PipelineStats;
  /** Resolves when the group is free and everything read is written. */
  stop(): Promise<void>;
}

/**
 * Reads the log group of this network namespace: kernel -> decode -> event -> batch -> store. Refuses as
 * openNflog does; a store that does not work is no refusal, see stats.
 */
export function startPipeline(options: PipelineOptions): Pipeline {
  const decode = createNflogDecoder(createInterfaceNames(options.now));
  const sequences = createSequenceCheck();
  const counts = { read: 0, foreign: 0, malformed: 0, doubted: 0, corrected: 0 };
  let failure: SeawallError | null = null;
  const recorder = createRecorder({ epochs: readLineEpochs, ...options });
  const take = (record: NflogRecord): void => {
    if (record.kind === "overrun") return recorder.lose("socket", null);
    const missing = record.sequence === null ? 0 : sequences.next(record.sequence);
    if (missing > 0) recorder.lose("kernel", missing);
    if (record.kind === "flow") {
      counts.read += 1;
      recorder.add(withRefusal(record.event, options.refusalKeyOf));
    } else counts[record.kind] += 1;
  };
  let reader: ReturnType<typeof openNflog>;
  try {
    reader = openNflog({
      group: options.group,
      onDatagram: (bytes, length) => {
        try {
          decode(bytes, length, options.now(), take);
        } catch {
          counts.malformed += 1;
        }
      },
      onOverrun: () => recorder.lose("socket", null),
      onFailure: (error) => {
        failure = error;
      },
    });
  } catch (error) {
    recorder.stop();
    throw error;
  }
  const guard = createGuard((text) => options.say?.(text));
  const timer = setInterval(
    guard.callback("events were not written", () => recorder.tick()),
    FLUSH_INTERVAL_MS,
  );
  return {
    add: (event) => recorder.add(event),
    doubt: (what) => {
      counts[what === "id" ? "corrected" : "doubted"] += 1;
    },
    stats: () => ({ ...counts, ...recorder.stats(), failure: failure?.message ?? null }),
    stop: async () => {
      clearInterval(timer);
      await reader.close();
      recorder.stop();
    },
  };
}
