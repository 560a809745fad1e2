/**
 * Loads the same IPv4 intervals by `nft -f` and by netlink, in turn, and prints one JSON line with the times
 * and their ratio. Run it in a namespace of its own: unshare -n node test/bench/interval-set.ts [COUNT] [ROUNDS]
 */
import { execFileSync } from "node:child_process";
import { formatIp4 } from "../../src/core/net/ip.ts";
import type { Intervals4 } from "../../src/core/net/prefix-set.ts";
import { openSetElements } from "../../src/edge/kernel/set-elements.ts";

const TABLE = "seawall_bench";
const count = Number(process.argv[2] ?? 100_000);
const rounds = Number(process.argv[3] ?? 5);
const intervals = spread(count);
const texts = Array.from(
  intervals.first,
  (first, at) => `${formatIp4(first)}-${formatIp4(intervals.last[at] ?? first)}`,
);
const byText = `table inet ${TABLE} {\n set peer { type ipv4_addr; flags interval; elements = { ${texts.join(", ")} }\n }\n}\n`;

const nftMs: number[] = [];
const netlinkMs: number[] = [];
for (let round = 0; round < rounds; round += 1) {
  nft(`add table inet ${TABLE}; delete table inet ${TABLE}; add table inet ${TABLE}`);
  nftMs.push(await measure(() => nft(byText)));
  nft(
    `delete table inet ${TABLE}; add table inet ${TABLE}; add set inet ${TABLE} ours { type ipv4_addr; flags interval; }`,
  );
  const elements = openSetElements();
  netlinkMs.push(
    await measure(() => elements.loadIntervalSet({ table: TABLE, set: "ours", family: 4, intervals })),
  );
  elements.close();
}
nft(`delete table inet ${TABLE}`);
const [peer, ours] = [median(nftMs), median(netlinkMs)];
console.log(
  JSON.stringify({ count, rounds, nftMs: Math.round(peer), netlinkMs: Math.round(ours), ratio: ours / peer }),
);

/** Intervals of changing size all over the address space, none beside another. */
function spread(size: number): Intervals4 {
  const step = Math.floor(0xdf00_0000 / size);
  const first = Uint32Array.from({ length: size }, (_, at) => 0x0100_0000 + at * step);
  return { first, last: first.map((value, at) => value + ((at * 7_919) % (step - 1))) };
}

function nft(text: string): void {
  execFileSync("nft", ["-f", "-"], { input: text.replaceAll("; ", ";\n") });
}

async function measure(run: () => unknown): Promise<number> {
  const startMs = performance.now();
  await run();
  return performance.now() - startMs;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
