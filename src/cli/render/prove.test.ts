// What a person sees of a proof.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Proof } from "../../prove/prove.ts";
import { held, notHeld, notPossible, type ProofRow } from "../../prove/row.ts";
import { probeScreen, proofScreen } from "./prove.ts";

const row = (id: string, judged: Omit<ProofRow, "scope" | "id" | "title">): ProofRow => ({
  scope: "agent",
  id,
  title: `the way ${id}`,
  ...judged,
});
const proof = (rows: readonly ProofRow[], mode: Proof["mode"] = "enforce"): Proof => ({
  mode,
  policy: "/etc/seawall/policy.yaml",
  isPending: false,
  rows,
  summary: { held: 1, notHeld: 2, notPossible: 1, broken: 1, seconds: 1.5 },
});
const ROWS = [
  row("a", held("ECONNREFUSED in 0 ms")),
  row("b", notHeld("connected in 1 ms", "seawall apply FILE")),
  row("c", { ...notHeld("known limit", "TLS inspection"), limit: true, promised: false }),
  row("d", notPossible("at is not installed")),
];

describe("the screen of a proof", () => {
  const screen = proofScreen(proof(ROWS), false, true);
  for (const [says, pattern] of [
    ["has a row for each way with its evidence", /^HELD {15}the way a\n {19}ECONNREFUSED in 0 ms$/m],
    [
      "says what would hold what is not held",
      /^NOT HELD {11}the way b\n.*\n {19}held by: seawall apply FILE$/m,
    ],
    ["says why a way cannot be tried", /^not possible here {2}the way d\n {19}at is not installed$/m],
    [
      "counts, and says how many were never promised",
      /^1 held, 2 not held \(1 of them .*\), 1 not possible here; 1\.5 s$/m,
    ],
    ["ends with the one thing to do", /^Next: seawall apply FILE\n$/m],
  ] as const) {
    it(says, () => assert.match(screen, pattern));
  }

  it("has one line a row unless more is asked for, and all of what the policy promised and is not held", () => {
    const short = proofScreen(proof(ROWS), false, false);
    assert.match(
      short,
      /^HELD {15}the way a\nNOT HELD {11}the way b\n {19}connected in 1 ms\n {19}held by: seawall apply FILE\nNOT HELD {11}the way c\nnot possible here {2}the way d\n/m,
    );
  });

  it("says while outbound is only watched how much enforcing holds", () => {
    const watched = row("e", { ...notHeld("connected", "mode"), promised: false, would: "refuse (default)" });
    const text = proofScreen(proof([watched, row("f", notHeld("open", "x"))], "observe"), false, false);
    assert.match(text, /^1 of 2 not held become HELD once outbound is enforced$/m);
    assert.doesNotMatch(proofScreen(proof(ROWS), false, false), /once outbound/);
  });

  it("begins with the mode while outbound is only watched", () => {
    const watched = row("e", { ...notHeld("connected", "mode"), promised: false, would: "refuse (default)" });
    const text = proofScreen(proof([watched], "observe"), false, true);
    assert.match(text, /^OBSERVING /);
    assert.match(text, /^ {19}enforce: refuse \(default\)$/m);
  });

  it("shows no escape of what others said", () => {
    assert.doesNotMatch(
      proofScreen(proof([row("f", held("\u001b]0;title\u0007x"))]), false, true),
      /\u001b|\u0007/,
    );
  });
});

describe("the screen of a probe", () => {
  const probed = {
    target: "evil.example.net:443",
    scope: "agent",
    resolved: [],
    verdict: "refused",
    by: "gate",
    rule: null,
    reason: "default",
    id: "sw-abcdefghjkabcdefghjk",
    observed: false,
    evidence: "no address",
    ms: 5,
  } as const;
  it("says who refused it, why, and how to learn more", () => {
    assert.equal(
      probeScreen(probed),
      "REFUSED by the gate: evil.example.net:443 from `agent` in 5 ms\nsaw       no address\nreason    default\nNext: seawall explain sw-abcdefghjkabcdefghjk\n",
    );
  });
  it("says of what is only watched what enforce would do", () => {
    const text = probeScreen({ ...probed, verdict: "reached", by: null, observed: true });
    assert.match(text, /^enforce {3}would refuse it: default$/m);
    assert.match(text, /^REACHED, only watched: /);
  });
});
