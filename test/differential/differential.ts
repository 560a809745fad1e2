/** Starts differential runs in fresh namespaces and says what came of them in a line each. */
import { outputInNamespace } from "../support/namespace.ts";
import type { RunReport, RunRequest } from "./run.ts";

const RUN_TIMEOUT_MS = 600_000;

/** Returns the reports of the runs, all in one fresh network namespace, one after the other. */
export async function runsInNamespace(requests: readonly RunRequest[]): Promise<RunReport[]> {
  const script = new URL("run.ts", import.meta.url);
  const output = await outputInNamespace(script, [JSON.stringify(requests)], { timeoutMs: RUN_TIMEOUT_MS });
  return JSON.parse(output) as RunReport[];
}

/** `20 policies, 59,137 packets, 0 mismatches ...` for a person. */
export function describeReport(report: RunReport): string {
  const { policies, packets, mismatches, counterMismatches, loadFailures, strays, seconds } = report;
  const number = (value: number): string => value.toLocaleString("en-US");
  return [
    `${number(policies)} policies`,
    `${number(packets)} packets (${number(report.packetsPerSecond)}/s)`,
    `${number(mismatches)} mismatches`,
    `${number(counterMismatches)} counters that differ`,
    `${number(loadFailures)} rulesets refused by nft`,
    `${number(strays)} strays`,
    `${seconds} s`,
  ].join(", ");
}

/** What is wrong with a run, with the text to replay it; empty when nothing is. */
export function problemsOf(report: RunReport): string {
  const { mismatches, counterMismatches, loadFailures, strays } = report;
  if (mismatches + counterMismatches + loadFailures + strays === 0) return "";
  return [describeReport(report), ...report.examples].join("\n");
}
