import assert from "node:assert/strict";
import { test } from "node:test";
import { foreignStamps } from "./foreign-mark.ts";

const LOW_MARK = "-A x -j MARK --set-xmark 0x4000/0x4000";
const HIGH_MARK = "\t\tmeta mark set 0x6d6f6c65";
const ROWS: [found: number, name: string, ...lines: string[]][] = [
  [1, "calico sets our bits", "-A cali-x -j CONNMARK --set-xmark 0x80000000/0x80000000"],
  [0, "kubernetes uses low bits", "-A KUBE-MARK -j CONNMARK --set-xmark 0x4000/0x4000"],
  [
    0,
    "wg-quick saves the packet's mark",
    "\t\tmeta l4proto udp meta mark 0x0000ca6c ct mark set meta mark",
    HIGH_MARK,
  ],
  [
    0,
    "a packet's mark is saved, and none has our bits",
    "-A PREROUTING -j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff",
    LOW_MARK,
  ],
  [
    1,
    "a packet's mark is saved, and one has our bits",
    "-A PREROUTING -j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff",
    HIGH_MARK,
  ],
  [
    0,
    "only low bits of a packet's mark are saved",
    "-A PREROUTING -j CONNMARK --save-mark --nfmask 0xffff --ctmask 0xffff",
    HIGH_MARK,
  ],
  [1, "nft copies a packet's mark, and one has our bits", "\t\tct mark set meta mark", HIGH_MARK],
  [
    0,
    "nft copies a packet's mark, and none has our bits",
    "\t\tct mark set meta mark",
    "\t\tmeta mark set ct mark",
  ],
  [1, "nft sets a constant with our bits", "\t\tct mark set 0x10000000"],
  [1, "nft adds our bits", "\t\tct mark set ct mark & 0x00ffffff | 0x20000000"],
  [0, "nft adds foreign bits", "\t\tct mark set ct mark & 0xffffff00 | 0x00000001"],
  [1, "nft looks the mark up in a map", "\t\tct mark set ip saddr map { 10.0.0.1 : 0x10000000 }"],
  [1, "nft draws the mark", "\t\tct mark set numgen inc mod 2 offset 268435456"],
  [0, "a packet mark alone is not a connection mark", "\t\tmeta mark set 0xff000000"],
];
for (const [found, name, ...lines] of ROWS) {
  test(name, () => assert.equal(foreignStamps(lines.join("\n")).length, found));
}
