// What programs called ping say, in the words of iputils and busybox.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readPing } from "./ping.ts";

const LOSS = "1 packets transmitted, 0 packets received, 100% packet loss";
const LOSS_IPUTILS = "1 packets transmitted, 0 received, 100% packet loss, time 0ms";

describe("ping", () => {
  for (const [says, status, text, outcome] of [
    ["with a reply reached it", 0, "1 packets transmitted, 1 received", "reached"],
    ["that may not send was refused (busybox)", 1, "ping: sendto: Operation not permitted", "refused"],
    [
      "that may not send was refused (iputils)",
      1,
      `ping: sendmsg: Operation not permitted\n${LOSS_IPUTILS}`,
      "refused",
    ],
    [
      "that met an ICMP error was refused",
      1,
      `From 172.17.0.1 icmp_seq=1 Destination Port Unreachable\n${LOSS_IPUTILS}`,
      "refused",
    ],
    ["without a reply was silent (busybox)", 1, LOSS, "silent"],
    ["without a reply was silent (iputils)", 1, LOSS_IPUTILS, "silent"],
  ] as const) {
    it(says, () => {
      const read = readPing({ status, text, ms: 1 });
      assert.equal(typeof read === "string" ? read : read.outcome, outcome);
    });
  }

  for (const [says, text, why] of [
    [
      "that may not open a socket tried nothing",
      "ping: permission denied (are you root?)",
      /could not be used/,
    ],
    ["without a route tried nothing", "ping: sendto: Network is unreachable", /no way there/],
    ["without IPv6 tried nothing", "ping6: socket: Address family not supported by protocol", /no way there/],
    ["that is another program tried nothing", "Usage: ping", /could not be used/],
  ] as const) {
    it(says, () => assert.match(JSON.stringify(readPing({ status: 1, text, ms: 1 })), why));
  }
});
