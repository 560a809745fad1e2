import assert from "node:assert/strict";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { flowEvent } from "../../../test/support/event.ts";
import { testKey } from "../../../test/support/refusal-key.ts";
import { temporaryDirectory } from "../../../test/support/temporary-directory.ts";
import { SeawallError } from "../../core/base/error.ts";
import type { FlowEvent } from "../../core/event/event.ts";
import { refusalId } from "../../core/gate/refusal.ts";
import { closeStore, openStore } from "../../edge/store/database.ts";
import { createEventWriter } from "../../edge/store/event-store.ts";
import { command as approve } from "./approve.ts";
import { command as explain } from "./explain.ts";

const POLICY = `version: 1
mode: enforce
inbound:
  - {allow: ssh, from: any, why: a rule of this test}
outbound:
  - {allow: github.com, why: a rule of this test}
`;
const OLD_ID = "sw-rzg87m6vxa";
const WHY = { why: "objects of releases are needed" };

/** A refused question for a name. */
function asked(host: string, change: Partial<FlowEvent> = {}): FlowEvent {
  const target = { scope: "agent", host, address: null, port: 53, protocol: "udp" } as const;
  const refusal = refusalId(target, { reason: "default", rule: null }, testKey());
  return flowEvent({ host, refusal, door: "dns", destinationPort: 53, protocol: 17, ...change });
}

const idOf = (event: FlowEvent): string => event.refusal ?? "";
const GOOD = asked("api.good.example.com");
const WEB = asked("shop.example.com", { door: "tls", destinationPort: 8443, protocol: 6 });

interface World {
  readonly run: (
    id: string,
    flags?: Record<string, string | boolean>,
    ask?: (question: string, shown: string) => boolean,
  ) => Promise<{ code: number; out: string; err: string; asked: string[] }>;
  readonly explain: (id: string) => Promise<string>;
  readonly policy: () => string;
  readonly path: string;
}

function world(context: TestContext, events: readonly FlowEvent[]): World {
  const folder = temporaryDirectory(context);
  const path = join(folder, "policy.yaml");
  writeFileSync(path, POLICY);
  const store = openStore(folder);
  assert.equal(createEventWriter(store).append(events), null);
  closeStore(store);
  const contextOf = (id: string, flags: Record<string, string | boolean>) => {
    const text = { out: "", err: "" };
    return {
      text,
      context: {
        positionals: [id],
        flags,
        out: (part: string) => void (text.out += part),
        err: (part: string) => void (text.err += part),
        env: { SEAWALL_STATE_DIR: folder, SEAWALL_CONFIG_DIR: folder },
        cwd: folder,
        nowMs: () => Date.UTC(2026, 10, 1),
        signal: new AbortController().signal,
        color: false,
      },
    };
  };
  return {
    path,
    policy: () => readFileSync(path, "utf8"),
    run: async (id, flags = {}, ask) => {
      const questions: string[] = [];
      const { text, context: made } = contextOf(id, { ...WHY, ...flags });
      const asks = async (question: string) => {
        questions.push(question);
        return ask?.(question, text.out + text.err) === true;
      };
      const code = await approve.run(ask === undefined ? made : { ...made, ask: asks });
      return { ...text, code, asked: questions };
    },
    explain: async (id) => {
      const { text, context: made } = contextOf(id, {});
      await explain.run(made);
      return text.out;
    },
  };
}

test("at a terminal it says what the rule means and shows the difference before it asks, and then writes", async (context) => {
  const { run, policy } = world(context, [GOOD]);
  let before = "";
  let seen = "";
  const done = await run(idOf(GOOD).slice(0, 9), {}, (_, shown) => {
    before = policy();
    seen = shown;
    return true;
  });
  assert.equal(before, POLICY, "nothing was written before the answer");
  assert.match(seen, /\+ .*api\.good\.example\.com/);
  assert.match(seen, /^the agent may then reach api\.good\.example\.com, tcp 443$/m);
  assert.deepEqual([done.code, done.asked.length], [0, 1]);
  assert.match(policy(), /allow: api\.good\.example\.com/);
});

test("the sentence has the port that was refused, and the end of the rule", async (context) => {
  const { run } = world(context, [WEB]);
  const { err } = await run(idOf(WEB), { for: "1h", "dry-run": true });
  assert.match(err, /^the agent may then reach shop\.example\.com, tcp 8443 until 2026-11-01T01:00:00Z$/m);
});

test("an answer that is no yes writes nothing", async (context) => {
  const { run, policy } = world(context, [GOOD]);
  assert.equal((await run(idOf(GOOD), {}, () => false)).code, 1);
  assert.equal(policy(), POLICY);
});

test("a file that somebody changed while it asked is left as it is", async (context) => {
  const { run, policy, path } = world(context, [GOOD]);
  await assert.rejects(
    run(idOf(GOOD), {}, () => {
      appendFileSync(path, "# mine\n");
      return true;
    }),
    (error) => error instanceof SeawallError && error.code === "SEAWALL_BUSY",
  );
  assert.equal(policy(), `${POLICY}# mine\n`);
});

test("without a terminal, and with --yes at one, the whole id is enough and nothing is asked", async (context) => {
  for (const ask of [undefined, () => false]) {
    const { run, policy } = world(context, [GOOD]);
    const done = await run(idOf(GOOD), { yes: true }, ask);
    assert.deepEqual([done.code, done.asked], [0, []]);
    assert.match(policy(), /allow: api\.good\.example\.com/);
  }
  const { run } = world(context, [GOOD]);
  assert.equal((await run(idOf(GOOD))).code, 0);
});

const SAME_BEGINNING = `${idOf(GOOD).slice(0, 10)}${"z".repeat(13)}`;
for (const [title, events, id, flags, terminal, wanted] of [
  [
    "the beginning of an id, without a terminal",
    [GOOD],
    idOf(GOOD).slice(0, 12),
    {},
    false,
    /the whole id is wanted/,
  ],
  [
    "the beginning of an id with --yes",
    [GOOD],
    idOf(GOOD).slice(0, 12),
    { yes: true },
    true,
    /the whole id is wanted/,
  ],
  [
    "a beginning that two ids have",
    [GOOD, asked("other.example.com", { refusal: SAME_BEGINNING })],
    idOf(GOOD).slice(0, 9),
    {},
    true,
    new RegExp(`several ids: .*${SAME_BEGINNING}`),
  ],
  [
    "an id of 0.1.0 that an innocent name and the attacker's share",
    [
      asked("objects-102907d.githubusercontent.com", { refusal: OLD_ID }),
      asked("a582a76.attacker.example", { refusal: OLD_ID }),
    ],
    OLD_ID,
    {},
    true,
    /2 targets in the log: .*a582a76\.attacker\.example; .*objects-102907d/,
  ],
  [
    "an id that a name and an address share",
    [GOOD, flowEvent({ refusal: idOf(GOOD), destination: "203.0.113.66" })],
    idOf(GOOD),
    {},
    true,
    /2 targets in the log: .*203\.0\.113\.66/,
  ],
  [
    "an id that two ports of a name share",
    [WEB, { ...WEB, destinationPort: 22 }],
    idOf(WEB),
    { "dry-run": true },
    true,
    /2 targets in the log/,
  ],
  [
    "an id of 0.1.0 without a terminal",
    [asked("a.example.com", { refusal: OLD_ID })],
    OLD_ID,
    {},
    false,
    /at a terminal only/,
  ],
  [
    "an id of 0.1.0 with --yes",
    [asked("a.example.com", { refusal: OLD_ID })],
    OLD_ID,
    { yes: true },
    true,
    /at a terminal only/,
  ],
  ["an id that the log does not hold", [GOOD], `sw-${"a".repeat(20)}`, {}, true, /the log has no refusal/],
  ["what is no id", [GOOD], "sw-abc", {}, true, /say which/],
] as const) {
  test(`refused, and nothing is written: ${title}`, async (context) => {
    const { run, policy } = world(context, events);
    await assert.rejects(run(id, flags, terminal ? () => true : undefined), wanted);
    assert.equal(policy(), POLICY);
  });
}

test("an id of 0.1.0 with one target is approved at a terminal, by the target that it shows", async (context) => {
  const { run, policy } = world(context, [asked("a.example.com", { refusal: OLD_ID })]);
  const done = await run(OLD_ID, {}, (_, shown) =>
    shown.includes("the agent may then reach a.example.com, tcp 443"),
  );
  assert.equal(done.code, 0);
  assert.match(policy(), /allow: a\.example\.com/);
});

test("explain finds an id by its beginning, one of 0.1.0 too, and shows every target of it", async (context) => {
  const shared = [
    asked("one.example.com", { refusal: OLD_ID }),
    asked("two.example.com", { refusal: OLD_ID }),
  ];
  const one = world(context, [GOOD, ...shared]);
  assert.match(await one.explain(idOf(GOOD).slice(0, 9)), new RegExp(`^${idOf(GOOD)}: agent's question`));
  const text = await one.explain(OLD_ID);
  assert.match(text, /two\.example\.com was refused/);
  assert.match(text, /stands for other targets, too, so nothing can be approved by it:\n.*one\.example\.com/);
});

test("what an old log holds of a hostile gate is one line of text in explain, and one in an error", async (context) => {
  const host = "x\u001b[2J\n\u202eforged.example";
  const events = [asked(host, { refusal: OLD_ID }), asked("b.example.com", { refusal: OLD_ID })];
  const one = world(context, events);
  const text = await one.explain(OLD_ID);
  assert.doesNotMatch(text, /\u001b|\u202e|^\S*forged/m);
  await assert.rejects(
    one.run(OLD_ID, {}, () => true),
    (error) => {
      assert.ok(error instanceof SeawallError);
      assert.doesNotMatch(error.message, /[\u001b\u202e\n]/);
      return true;
    },
  );
});
