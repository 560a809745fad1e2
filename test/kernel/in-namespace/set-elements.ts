import { openSetElements } from "../../../src/edge/kernel/set-elements.ts";
import { formatIp4, formatIp6 } from "../../../src/core/net/ip.ts";
import type { Intervals4, Intervals6 } from "../../../src/core/net/prefix-set.ts";
import { listElements, loadRules } from "./nft.ts";

loadRules(`table inet seawall {
  set ours4 { type ipv4_addr; flags interval; }
  set ours6 { type ipv6_addr; flags interval; }
  set nft4 { type ipv4_addr; flags interval; }
  set nft6 { type ipv6_addr; flags interval; }
  set whole4 { type ipv4_addr; flags interval; }
  set single4 { type ipv4_addr; }
  set pins4 { type ipv4_addr . inet_service; flags timeout; }
}`);
const elements = openSetElements();
const table = "seawall";

// 9001 intervals: two full transactions and a part; from address 0 to the last one, single addresses too.
const four: Intervals4 = { first: new Uint32Array(9001), last: new Uint32Array(9001) };
const six: { first: bigint[]; last: bigint[] } = { first: [], last: [] };
for (let at = 0; at < 9001; at += 1) {
  four.first[at] = at * 400_000;
  four.last[at] = at === 9000 ? 0xffff_ffff : at * 400_000 + ((at * 7919) % 300_000);
  six.first.push(BigInt(at) << 112n);
  six.last.push(at === 9000 ? (1n << 128n) - 1n : (BigInt(at) << 112n) + BigInt((at * 7919) % 300_000));
}
const text4 = Array.from(four.first, (first, at) => `${formatIp4(first)}-${formatIp4(four.last[at] ?? 0)}`);
const text6 = six.first.map((first, at) => `${formatIp6(first)}-${formatIp6(six.last[at] ?? 0n)}`);
loadRules(`add element inet seawall nft4 { ${text4.join(", ")} }
add element inet seawall nft6 { ${text6.join(", ")} }`);
await elements.loadIntervalSet({ table, set: "ours4", family: 4, intervals: four });
await elements.loadIntervalSet({ table, set: "ours6", family: 6, intervals: six satisfies Intervals6 });
await elements.loadIntervalSet({
  table,
  set: "whole4",
  family: 4,
  intervals: { first: Uint32Array.of(0), last: Uint32Array.of(0xffff_ffff) },
});

const pin = Uint8Array.of(192, 0, 2, 1, 1, 187, 0, 0);
const pinned = (timeoutMs: number, refresh: boolean): unknown => {
  elements.addTimedElement({ table, set: "pins4", key: pin, timeoutMs, refresh });
  return listElements("pins4");
};
const failure = (run: () => void): string => {
  try {
    run();
    return "no error";
  } catch (error) {
    return String(error);
  }
};

const result = {
  same4: JSON.stringify(listElements("ours4")) === JSON.stringify(listElements("nft4")),
  same6: JSON.stringify(listElements("ours6")) === JSON.stringify(listElements("nft6")),
  count4: listElements("ours4").length,
  count6: listElements("ours6").length,
  whole4: listElements("whole4"),
  pinned: pinned(600_000, false),
  refreshed: pinned(900_000, true),
  noSet: failure(() =>
    elements.addTimedElement({ table, set: "none", key: pin, timeoutMs: 1000, refresh: true }),
  ),
  noTable: failure(() =>
    elements.addTimedElement({ table: "none", set: "pins4", key: pin, timeoutMs: 1000, refresh: false }),
  ),
  shortKey: failure(() =>
    elements.addTimedElement({
      table,
      set: "pins4",
      key: pin.subarray(0, 4),
      timeoutMs: 1000,
      refresh: false,
    }),
  ),
  afterFailures: pinned(300_000, true),
  notAnIntervalSet: await elements
    .loadIntervalSet({
      table,
      set: "single4",
      family: 4,
      intervals: { first: Uint32Array.of(5), last: Uint32Array.of(9) },
    })
    .then(() => "no error", String),
  overlapping: await elements
    .loadIntervalSet({
      table,
      set: "ours4",
      family: 4,
      intervals: { first: Uint32Array.of(0), last: Uint32Array.of(900_000) },
    })
    .then(() => "no error", String),
};
elements.close();
console.log(JSON.stringify(result));
