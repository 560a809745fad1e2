// What an answer says about a way around the policy.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Answer, parseSaid, PORT_UNREACHABLE } from "./ask.ts";
import { judgeAttempt, judgeGreeting, judgeQuestion, type LogHit, type Pledge, pledgeOf } from "./judge.ts";
import { breaksPromise } from "./row.ts";

const answer = (outcome: Answer["outcome"], code: string, dns: Answer["dns"] = null): Answer => ({
  outcome,
  code,
  ms: 3,
  text: "",
  dns,
});
const refused: Pledge = { kind: "refused", drops: false };
const dropped: Pledge = { kind: "refused", drops: true };
const allowed: Pledge = { kind: "allowed", by: "wide" };
const watched: Pledge = { kind: "watched", would: "refuse (default)" };
const hit: LogHit = {
  by: "kernel",
  observed: false,
  reason: "default",
  rule: null,
  refusal: "sw-abcdefghjkabcdefghjk",
};
const seen: LogHit = { ...hit, observed: true };
const byGate: LogHit = { ...hit, by: "gate" };

interface Row {
  readonly says: string;
  readonly answer: Answer;
  readonly pledge: Pledge;
  readonly hit: LogHit | null;
  readonly status: string;
  readonly breaks: boolean;
  readonly evidence: RegExp;
}

const ATTEMPTS: readonly Row[] = [
  {
    says: "a refused connection is held, and the log says by whom",
    answer: answer("refused", "ECONNREFUSED"),
    pledge: refused,
    hit,
    status: "held",
    breaks: false,
    evidence: /^ECONNREFUSED in 3 ms; kernel: default sw-abcdefghjkabcdefghjk$/,
  },
  {
    says: "it is held without the log too",
    answer: answer("refused", "EPERM"),
    pledge: refused,
    hit: null,
    status: "held",
    breaks: false,
    evidence: /^EPERM in 3 ms$/,
  },
  {
    says: "a datagram that met nobody is held only by what the log has",
    answer: answer("refused", PORT_UNREACHABLE),
    pledge: refused,
    hit,
    status: "held",
    breaks: false,
    evidence: /kernel: default/,
  },
  {
    says: "a datagram that met nobody shows nothing without the log: that host may have refused it",
    answer: answer("refused", PORT_UNREACHABLE),
    pledge: refused,
    hit: null,
    status: "not-possible",
    breaks: false,
    evidence: /the log does not say by whom/,
  },
  {
    says: "what is reached against the policy breaks a promise",
    answer: answer("reached", "connected"),
    pledge: refused,
    hit: null,
    status: "not-held",
    breaks: true,
    evidence: /^connected in 3 ms$/,
  },
  {
    says: "silence against a policy that answers means that it was sent",
    answer: answer("silent", "ETIMEDOUT"),
    pledge: refused,
    hit: null,
    status: "not-held",
    breaks: true,
    evidence: /nothing refused it/,
  },
  {
    says: "silence is held where the log has the drop",
    answer: answer("silent", "ETIMEDOUT"),
    pledge: dropped,
    hit,
    status: "held",
    breaks: false,
    evidence: /kernel: default/,
  },
  {
    says: "silence without the log shows nothing where the policy drops",
    answer: answer("silent", "ETIMEDOUT"),
    pledge: dropped,
    hit: null,
    status: "not-possible",
    breaks: false,
    evidence: /does not say who dropped it/,
  },
  {
    says: "silence is not held by a refusal that was only watched",
    answer: answer("silent", "ETIMEDOUT"),
    pledge: refused,
    hit: seen,
    status: "not-held",
    breaks: true,
    evidence: /nothing refused it/,
  },
  {
    says: "no way there on this machine cannot be tried",
    answer: answer("absent", "ENETUNREACH"),
    pledge: refused,
    hit: null,
    status: "not-possible",
    breaks: false,
    evidence: /^ENETUNREACH/,
  },
  {
    says: "an attempt that broke is never held and never skipped",
    answer: answer("failed", "it ended"),
    pledge: refused,
    hit,
    status: "not-held",
    breaks: true,
    evidence: /not shown: the attempt itself failed: it ended/,
  },
  {
    says: "what a rule allows is not held, whatever came back, and was not promised",
    answer: answer("refused", "ECONNREFUSED"),
    pledge: allowed,
    hit: null,
    status: "not-held",
    breaks: false,
    evidence: /`wide` allows it; ECONNREFUSED/,
  },
  {
    says: "what is only watched is not held, and was not promised",
    answer: answer("reached", "connected"),
    pledge: watched,
    hit: seen,
    status: "not-held",
    breaks: false,
    evidence: /would refuse, default .*: only watched$/,
  },
  {
    says: "what passed here and was refused further away is only watched",
    answer: answer("refused", PORT_UNREACHABLE),
    pledge: watched,
    hit: seen,
    status: "not-held",
    breaks: false,
    evidence: /only watched$/,
  },
  {
    says: "what others refuse while Seawall watches is no merit of Seawall's",
    answer: answer("refused", "ECONNREFUSED"),
    pledge: watched,
    hit: null,
    status: "not-possible",
    breaks: false,
    evidence: /not by Seawall, which only watches/,
  },
];

describe("an attempt", () => {
  for (const row of ATTEMPTS) {
    it(row.says, () => {
      const judged = judgeAttempt(row.answer, row.pledge, row.hit);
      assert.equal(judged.status, row.status);
      assert.equal(breaksPromise(judged), row.breaks);
      assert.match(judged.evidence, row.evidence);
      assert.equal(judged.cure === null, judged.status !== "not-held", "what would hold it is said, always");
    });
  }

  const anyAnswer = fc.record({
    outcome: fc.constantFrom("reached", "silent", "absent", "failed"),
    code: fc.string({ maxLength: 20 }),
    ms: fc.nat(5_000),
    text: fc.constant(""),
    dns: fc.constant(null),
  });
  const anyPledge = fc.constantFrom(refused, dropped, allowed, watched);

  it("is never held without a refusal: neither the attempt's own nor one of the log", () => {
    fc.assert(
      fc.property(anyAnswer, anyPledge, fc.constantFrom(null, seen), (one, pledge, found) => {
        assert.notEqual(judgeAttempt(one, pledge, found).status, "held");
      }),
    );
  });
});

describe("a question for a name that nobody lists", () => {
  const dns = (rcode: number, ede: string | null) =>
    answer("reached", `rcode ${rcode}`, { rcode, addresses: [], ede });
  for (const [says, one, pledge, status, evidence] of [
    [
      "is held when the gate answers, which shows by its error text",
      dns(3, "seawall sw-abcdefghjkabcdefghjk default: no rule"),
      refused,
      "held",
      /^NXDOMAIN in 3 ms; gate: sw-abcdefghjkabcdefghjk default/,
    ],
    [
      "is not held when the same NXDOMAIN comes from a resolver",
      dns(3, null),
      refused,
      "not-held",
      /^NXDOMAIN from another resolver/,
    ],
    [
      "is not held when a resolver has an error text of its own",
      dns(3, "filtered by a resolver"),
      refused,
      "not-held",
      /another resolver/,
    ],
    ["is only watched in observe", dns(3, null), watched, "not-held", /only watched/],
    ["is held when port 53 is refused", answer("refused", "ECONNREFUSED"), refused, "held", /ECONNREFUSED/],
  ] as const) {
    it(says, () => {
      const judged = judgeQuestion(one, pledge, null);
      assert.equal(judged.status, status);
      assert.match(judged.evidence, evidence);
    });
  }
});

describe("a greeting by TLS", () => {
  for (const [says, one, pledge, found, status] of [
    ["that ended is held when the gate says so", answer("refused", "closed"), refused, byGate, "held"],
    [
      "that ended shows nothing when the gate says nothing",
      answer("refused", "closed"),
      refused,
      null,
      "not-possible",
    ],
    [
      "that was answered by an alert of the site came through",
      answer("reached", "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE"),
      refused,
      null,
      "not-held",
    ],
    [
      "that agreed on keys came through, whatever the log has",
      answer("reached", "TLSv1.3"),
      refused,
      byGate,
      "not-held",
    ],
    [
      "past the gate by an address rule was not promised",
      answer("reached", "TLSv1.3"),
      allowed,
      null,
      "not-held",
    ],
  ] as const) {
    it(says, () => assert.equal(judgeGreeting(one, pledge, found).status, status));
  }
});

describe("what the policy promises", () => {
  const base = { verdict: "refuse", observed: false, rule: null, reason: "default", why: "" } as const;
  for (const [says, decision, pledge] of [
    ["a refusal is promised", base, refused],
    ["a drop is promised, and answers nothing", { ...base, verdict: "drop" }, dropped],
    [
      "an allow is not",
      { ...base, verdict: "accept", reason: "allowed", rule: "wide" },
      { kind: "allowed", by: "wide" },
    ],
    ["what is watched is not", { ...base, observed: true }, watched],
  ] as const) {
    it(says, () => assert.deepEqual(pledgeOf(decision), pledge));
  }
});

describe("a line of the process in the agent's place", () => {
  const good = { id: 1, answer: answer("reached", "connected"), ports: [40_000] };
  it("is read", () => assert.deepEqual(parseSaid(JSON.stringify(good)), good));
  for (const [says, line] of [
    ["that is no JSON is nothing", "{"],
    [
      "with another outcome is nothing",
      JSON.stringify({ ...good, answer: { ...good.answer, outcome: "held" } }),
    ],
    ["with a port that is none is nothing", JSON.stringify({ ...good, ports: [0] })],
    ["with more than is known is nothing", JSON.stringify({ ...good, status: "held" })],
    [
      "with a code without end is nothing",
      JSON.stringify({ ...good, answer: { ...good.answer, code: "x".repeat(201) } }),
    ],
  ] as const) {
    it(says, () => assert.equal(parseSaid(line), undefined));
  }
  it("of any text does not throw", () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => parseSaid(text) === undefined));
  });
});
