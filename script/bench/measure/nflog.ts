/** Events a second and CPU time of each, from the kernel's log to the store, as the daemon does it. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { formatLogPrefix, NFLOG_GROUP } from "../../../src/core/event/log-prefix.ts";
import { nft, requireProgram, run } from "../command.ts";
import { type BenchContext, freshFolders } from "../context.ts";
import { type BenchResult, figuresOf } from "../result.ts";
import { KEY_BYTES, refusalKey } from "../../../src/core/gate/refusal.ts";

/** Fewer than the kernel keeps for us (NFLOG_BUFFER_BYTES), so that none is lost while we do not read. */
const EVENTS = 30_000;
const WAIT_LIMIT_MS = 30_000;

const refusalKeyOf = (scope: string) => refusalKey(new Uint8Array(KEY_BYTES), "", scope);

/** Returns the rate at which a full buffer is read, decoded and stored, and the CPU time of this process for it. */
export async function measure(context: BenchContext): Promise<BenchResult> {
  requireProgram("nft", "nftables");
  const prefix = formatLogPrefix({
    direction: "outbound",
    verdict: "refuse",
    observed: true,
    generation: 3,
    place: "agent",
    reason: "default",
    rule: null,
  });
  nft(`table inet seawall {
  chain out { type filter hook output priority 0
    udp dport 9 log prefix "${prefix}" group ${NFLOG_GROUP}
  }
}
`);
  const built = pathToFileURL(join(context.root, "dist/daemon/pipeline.js")).href;
  const { startPipeline } = (await import(built)) as typeof import("../../../src/daemon/pipeline.ts");
  const { SEAWALL_STATE_DIR: stateDir = "" } = freshFolders(context);
  const sender = fileURLToPath(new URL("../child/send.ts", import.meta.url));
  const rates: number[] = [];
  const cpuUs: number[] = [];
  const pipeline = startPipeline({ group: NFLOG_GROUP, stateDir, now: Date.now, refusalKeyOf });
  try {
    for (let round = 0; round < (context.quick ? 3 : 9); round += 1) {
      const before = pipeline.stats().stored;
      // This process waits for the sender, so that the kernel holds nearly all events when the clock starts.
      run([process.execPath, sender, String(EVENTS)]);
      const done = pipeline.stats().stored;
      const cpu = process.cpuUsage();
      const startMs = performance.now();
      await until(() => pipeline.stats().stored - before >= EVENTS);
      const events = EVENTS - (done - before);
      rates.push((events / (performance.now() - startMs)) * 1_000);
      const used = process.cpuUsage(cpu);
      cpuUs.push((used.user + used.system) / events);
    }
  } finally {
    await pipeline.stop();
  }
  const { lost } = pipeline.stats();
  if (lost.kernel + lost.queue + lost.socket + lost.store > 0)
    throw new Error(`lost: ${JSON.stringify(lost)}`);
  return {
    name: "nflog",
    title: `${EVENTS.toLocaleString("en-US")} events from the kernel's buffer to the store`,
    figures: [
      ...figuresOf(
        new Map([["events read, decoded and stored"]].map(([name = ""]) => [name, rates])),
        "a second",
      ),
      ...figuresOf(new Map([["CPU time of an event"]].map(([name = ""]) => [name, cpuUs])), "us"),
    ],
    comparisons: [],
    notes: ["None was lost. The wait for a batch (up to 250 ms) is in the rate."],
  };
}

async function until(isDone: () => boolean): Promise<void> {
  const limitMs = performance.now() + WAIT_LIMIT_MS;
  while (!isDone()) {
    if (performance.now() > limitMs) throw new Error(`the events did not arrive within ${WAIT_LIMIT_MS} ms`);
    await sleep(5);
  }
}
