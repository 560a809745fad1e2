import assert from "node:assert/strict";
import { test } from "node:test";
import { foreignStamps } from "./foreign-mark.ts";

const ROWS: [found: number, name: string, line: string][] = [
  [1, "calico sets our bits", "-A cali-x -j CONNMARK --set-xmark 0x80000000/0x80000000"],
  [0, "kubernetes uses low bits", "-A KUBE-MARK -j CONNMARK --set-xmark 0x4000/0x4000"],
  [0, "wg-quick saves the packet's mark", "\t\tmeta l4proto udp mark 0x0000ca6c ct mark set meta mark"],
  [
    0,
    "iptables saves the packet's mark",
    "-A PREROUTING -j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff",
  ],
  [1, "nft sets a constant with our bits", "\t\tct mark set 0x10000000"],
  [1, "nft adds our bits", "\t\tct mark set ct mark & 0x00ffffff | 0x20000000"],
  [0, "nft adds foreign bits", "\t\tct mark set ct mark & 0xffffff00 | 0x00000001"],
  [0, "a packet mark is not a connection mark", "\t\tmeta mark set 0xff000000"],
];
for (const [found, name, line] of ROWS) test(name, () => assert.equal(foreignStamps(line).length, found));
