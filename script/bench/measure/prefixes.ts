/** 100,000 prefixes from a text file to enforced, beside `nft -f` of the same set. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { applyProcessMs, applySteps } from "../applied.ts";
import { nft, processMs, requireProgram } from "../command.ts";
import type { BenchContext } from "../context.ts";
import { spreadPrefixes, writePolicy } from "../policy.ts";
import { type BenchResult, compare, type Figure, figuresOf } from "../result.ts";
import { interleave } from "../sample.ts";

const PREFIXES = 100_000;
const PEER_TABLE = "seawall_bench";
const WHOLE = "seawall apply FILE, the whole process";
const NFT = "nft -f of the same set as text";

/** Returns the times, the ratio to nft, and where Seawall's time goes. */
export async function measure(context: BenchContext): Promise<BenchResult> {
  requireProgram("nft", "nftables");
  const prefixes = spreadPrefixes(PREFIXES);
  const last = prefixes.at(-1) ?? "";
  writeFileSync(join(context.folder, "prefixes.txt"), `${prefixes.join("\n")}\n`);
  const policy = writePolicy(context.folder, "big.yaml", { rules: 3, denied: "prefixes.txt" });
  const peer = join(context.folder, "peer.nft");
  writeFileSync(peer, peerText(prefixes));
  const samples = await interleave(
    [
      { name: WHOLE, once: () => applyProcessMs(context, policy, last) },
      { name: NFT, once: () => nftMs(peer) },
    ],
    context.quick ? 2 : 9,
    context.quick ? 0 : 1,
  );
  return {
    name: "prefixes",
    title: `${PREFIXES.toLocaleString("en-US")} prefixes from text to enforced`,
    figures: [...figuresOf(samples, "ms"), ...stepFigures(context, policy, last)],
    comparisons: [compare(samples, { over: WHOLE, under: NFT, goal: { bound: "at most", ratio: 0.8 } })],
    notes: [
      "Seawall's time includes the start of Node, the policy's checks, the lease and the history; nft's is the set and one rule.",
    ],
  };
}

function stepFigures(context: BenchContext, policy: string, last: string): Figure[] {
  const rounds = Array.from({ length: context.quick ? 1 : 5 }, () =>
    applySteps(context, { policy, mark: last, rounds: 1, part: "apply" }),
  ).flat();
  const steps = new Map([
    ["step: load our modules", rounds.map(({ importMs }) => importMs)],
    ["step: read the file", rounds.map(({ readSetsMs }) => readSetsMs)],
    ["step: check the policy", rounds.map(({ checkMs }) => checkMs)],
    ["step: compile", rounds.map(({ compileMs }) => compileMs)],
    [
      "step: fill the set, load the rules, remember",
      rounds.map(({ applyMs, compileMs }) => applyMs - compileMs),
    ],
  ]);
  return figuresOf(steps, "ms");
}

function nftMs(file: string): number {
  const ms = processMs(["nft", "-f", file]);
  nft(`delete table inet ${PEER_TABLE}\n`);
  return ms;
}

function peerText(prefixes: readonly string[]): string {
  return [
    `table inet ${PEER_TABLE} {`,
    `  set big { type ipv4_addr; flags interval; elements = { ${prefixes.join(", ")} }`,
    "  }",
    "  chain in { type filter hook prerouting priority -150; policy accept; ip saddr @big drop; }",
    "}",
    "",
  ].join("\n");
}
