import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { describeReport, problemsOf, runsInNamespace } from "./differential.ts";
import { MUTATION_NAMES } from "./mutation.ts";
import type { RunReport } from "./run.ts";

const POLICIES = 20;
const PACKETS_PER_POLICY = 3_000;
/** Reduced: what one mistake changes is a large share of what its policies are about. */
const MUTATED_POLICIES = 8;
const MUTATED_PACKETS = 2_000;

describe("the nftables ruleset of a policy means what evaluate says", () => {
  let handwritten: RunReport;
  let sound: RunReport;
  let mutated: readonly RunReport[];
  before(async () => {
    const shared = { firstSeed: 1, policies: MUTATED_POLICIES, packetsPerPolicy: MUTATED_PACKETS };
    const [byHand, first, ...rest] = await runsInNamespace([
      { firstSeed: null, policies: 0, packetsPerPolicy: PACKETS_PER_POLICY },
      { firstSeed: 1, policies: POLICIES, packetsPerPolicy: PACKETS_PER_POLICY },
      ...MUTATION_NAMES.map((mutation) => ({ ...shared, mutation })),
    ]);
    assert(byHand !== undefined && first !== undefined);
    [handwritten, sound, mutated] = [byHand, first, rest];
  });

  test("policies written by hand: every packet meets the fate that evaluate gives it", (context) => {
    context.diagnostic(describeReport(handwritten));
    assert.equal(problemsOf(handwritten), "");
  });

  test(`${POLICIES} random policies: every packet meets the fate that evaluate gives it`, (context) => {
    context.diagnostic(describeReport(sound));
    assert.equal(problemsOf(sound), "");
  });

  test("the packets reach every kind of decision", () => {
    const reasons = ["host-life", "guard", "denied", "allowed", "default", "not-judged", "nobody's"];
    const watched = ["denied, observed", "allowed, observed", "default, observed"];
    for (const reason of [...reasons, ...watched]) {
      assert((sound.reasons[reason] ?? 0) >= 100, `only ${sound.reasons[reason] ?? 0} packets: ${reason}`);
    }
    for (const verdict of ["accept", "refuse", "drop"] as const) assert(sound.verdicts[verdict] >= 1_000);
  });

  for (const [at, mutation] of MUTATION_NAMES.entries()) {
    test(`it is noticed when ${mutation}`, (context) => {
      const report = mutated[at];
      assert(report !== undefined);
      context.diagnostic(
        `${report.caught} of ${report.mutated} policies show it, ${report.mismatches} packets`,
      );
      assert(report.mutated >= 3, "too few policies have a place for this mistake");
      assert.equal(report.loadFailures, 0, report.examples.join("\n"));
      assert(report.caught >= 1, "the mistake went unnoticed");
    });
  }
});
