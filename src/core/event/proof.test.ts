import assert from "node:assert/strict";
import { test } from "node:test";
import type { FlowEvent } from "./event.ts";
import { type ProofRun, proofSieve } from "./proof.ts";

const RUN: ProofRun = {
  scope: "agent",
  nonce: "a1b2c3d4e5f6",
  fromMs: 1_000,
  toMs: 9_000,
  sockets: [{ protocol: 6, address: "1.1.1.1", port: 80, sourcePort: 40_000, fromMs: 2_000, toMs: 2_100 }],
};

const flow = (change: Partial<FlowEvent>): FlowEvent =>
  ({
    kind: "flow",
    timeMs: 2_050,
    direction: "outbound",
    verdict: "refuse",
    place: "agent",
    protocol: 6,
    destination: "1.1.1.1",
    destinationPort: 80,
    sourcePort: 40_000,
    host: null,
    door: null,
    ...change,
  }) as FlowEvent;

const gate = (host: string, change: Partial<FlowEvent> = {}) =>
  flow({ door: "dns", host, sourcePort: null, destinationPort: 53, ...change });

for (const [what, one, expected] of [
  ["an attempt of the run", flow({}), true],
  ["one that the kernel told late", flow({ timeMs: 3_000 }), true],
  ["the same place from another port", flow({ sourcePort: 40_001 }), false],
  ["another place from the same port", flow({ destination: "1.0.0.1" }), false],
  ["another port of the place", flow({ destinationPort: 443 }), false],
  ["another protocol", flow({ protocol: 17 }), false],
  ["another scope", flow({ place: "helper" }), false],
  ["before the attempt", flow({ timeMs: 1_500 }), false],
  ["after its time", flow({ timeMs: 4_000 }), false],
  ["what comes in", flow({ direction: "inbound" }), false],
  ["a name of the run", gate("nothing-a1b2c3d4e5f6.seawall-prove.invalid"), true],
  ["a name of the run, after it", gate("x-a1b2c3d4e5f6.seawall-prove.invalid", { timeMs: 99_000 }), false],
  ["a name that looks like one of a run", gate("secret-000000000000.seawall-prove.invalid"), false],
  ["the zone alone", gate("seawall-prove.invalid"), false],
  ["a name that hides the nonce in front", gate("a1b2c3d4e5f6.evil.org"), false],
] as const)
  test(`${what} is ${expected ? "" : "not "}taken for an attempt of ours`, () =>
    assert.equal(proofSieve([RUN])(one), expected));

test("an agent that copies destination and source port of an attempt shows up: the attempt takes one row", () => {
  const isProof = proofSieve([RUN]);
  assert.deepEqual([flow({}), flow({ timeMs: 2_060 }), flow({ timeMs: 2_500 })].map(isProof), [
    true,
    false,
    false,
  ]);
});

test("without names of its own a run takes no name", () => {
  assert.equal(proofSieve([{ ...RUN, nonce: "" }])(gate("-.seawall-prove.invalid")), false);
});
