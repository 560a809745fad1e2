/** Flows decided a second, from address text to decision, beside net.BlockList asked about the same text. */
import { BlockList } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { formatIp4, formatIp6 } from "../../../src/core/net/ip.ts";
import { parsePrefix } from "../../../src/core/net/prefix.ts";
import type { BenchContext } from "../context.ts";
import { policyText, randomWords, spreadPrefixes, spreadPrefixes6 } from "../policy.ts";
import { type BenchResult, compare, figuresOf } from "../result.ts";
import { interleave, type Samples } from "../sample.ts";

const PREFIXES = 10_000;
const FLOWS = 1 << 14;
const ROUND_MS = 250;
const GOAL = { bound: "at least", ratio: 3 } as const;

/** Returns decisions a second for both families. Half of the flows are from a listed network. */
export async function measure(context: BenchContext): Promise<BenchResult> {
  const v4 = await measureFamily(context, 4);
  const v6 = await measureFamily(context, 6);
  return {
    name: "evaluate",
    title: `decisions a second over ${PREFIXES.toLocaleString("en-US")} prefixes, from text`,
    figures: [...figuresOf(v4, "a second"), ...figuresOf(v6, "a second")],
    comparisons: [4, 6].map((family) =>
      compare(family === 4 ? v4 : v6, {
        over: seawallName(family),
        under: blockListName(family),
        goal: GOAL,
      }),
    ),
    notes: [
      "Seawall answers with verdict, rule and reason for a flow (address, zone, port, protocol); BlockList with true or false for an address.",
    ],
  };
}

const seawallName = (family: number): string => `IPv${family}: flow to decision`;
const blockListName = (family: number): string => `IPv${family}: BlockList.check`;

async function measureFamily(context: BenchContext, family: 4 | 6): Promise<Samples> {
  const prefixes = family === 4 ? spreadPrefixes(PREFIXES) : spreadPrefixes6(PREFIXES);
  const texts = addressTexts(prefixes, family);
  const decide = await seawall(context, prefixes, texts);
  const check = blockList(prefixes, texts, family);
  for (let at = 0; at < FLOWS; at += 1) {
    if (decide(at) !== check(at)) throw new Error(`they disagree about ${texts[at]}`);
  }
  return interleave(
    [
      { name: seawallName(family), once: () => rate(decide) },
      { name: blockListName(family), once: () => rate(check) },
    ],
    context.quick ? 3 : 11,
    1,
  );
}

/** Returns addresses: every other one inside a listed network, the rest anywhere. */
function addressTexts(prefixes: readonly string[], family: 4 | 6): string[] {
  const word = randomWords(7);
  return Array.from({ length: FLOWS }, (_, at) => {
    const parsed = parsePrefix(prefixes[word() % prefixes.length] ?? "");
    if (!parsed.ok) throw new Error("the prefixes of the benchmark are valid");
    const { base } = parsed.prefix;
    if (base.family === 4) {
      return formatIp4(
        at % 2 === 0
          ? base.value + (word() & 63)
          : (((1 + (word() % 223)) << 24) >>> 0) + (word() & 0xffffff),
      );
    }
    if (family !== 6) throw new Error("one family at a time");
    const host = (BigInt(word()) << 32n) | BigInt(word());
    return formatIp6(
      at % 2 === 0 ? base.value + host : ((0x2000_0000n + BigInt(word() >>> 4)) << 96n) + host,
    );
  });
}

type Decide = (at: number) => boolean;

async function seawall(
  context: BenchContext,
  prefixes: readonly string[],
  texts: readonly string[],
): Promise<Decide> {
  const dist = (path: string): string => pathToFileURL(join(context.root, "dist", path)).href;
  const { checkPolicy } = (await import(
    dist("core/policy/check.js")
  )) as typeof import("../../../src/core/policy/check.ts");
  const { evaluator } = (await import(
    dist("core/policy/evaluate.js")
  )) as typeof import("../../../src/core/policy/evaluate.ts");
  const { parseFlow } = (await import(
    dist("core/policy/flow-input.js")
  )) as typeof import("../../../src/core/policy/flow-input.ts");
  const { prefixSetOf } = (await import(
    dist("core/net/prefix-set.js")
  )) as typeof import("../../../src/core/net/prefix-set.ts");
  const set = prefixSetOf(prefixes.flatMap((text) => (parsePrefix(text) as { prefix?: never }).prefix ?? []));
  const nowMs = Date.now();
  const { policy } = checkPolicy(policyText({ rules: 3, denied: "prefixes.txt" }), {
    nowMs,
    readSets: () => ({ sets: new Map([["big", set]]), diagnostics: [] }),
  });
  if (policy === null) throw new Error("the policy of the benchmark has errors");
  const judge = evaluator(policy);
  const flows = texts.map((from) => ({ direction: "inbound", from, port: 80, protocol: "tcp" }));
  return (at) => {
    const parsed = parseFlow(flows[at]);
    return parsed.ok && judge(parsed.flow, nowMs).verdict !== "accept";
  };
}

function blockList(prefixes: readonly string[], texts: readonly string[], family: 4 | 6): Decide {
  const list = new BlockList();
  const type = family === 4 ? "ipv4" : "ipv6";
  for (const prefix of prefixes) {
    const [base = "", bits = ""] = prefix.split("/");
    list.addSubnet(base, Number(bits), type);
  }
  return (at) => list.check(texts[at] ?? "", type);
}

/** Asks again and again for ROUND_MS and returns answers a second. */
function rate(decide: Decide): number {
  const startMs = performance.now();
  let asked = 0;
  let yes = 0;
  for (;;) {
    for (let at = 0; at < FLOWS; at += 1) if (decide(at)) yes += 1;
    asked += FLOWS;
    const ms = performance.now() - startMs;
    if (ms >= ROUND_MS) return yes < 0 ? 0 : (asked / ms) * 1_000;
  }
}
