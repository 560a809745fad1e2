import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { flowEvent } from "../../../test/support/event.ts";
import { temporaryDirectory } from "../../../test/support/temporary-directory.ts";
import { SeawallError } from "../../core/base/error.ts";
import type { SeawallEvent } from "../../core/event/event.ts";
import { closeStore, openStore } from "../../edge/store/database.ts";
import { createEventWriter } from "../../edge/store/event-store.ts";
import { command } from "./flows.ts";

const NOW_MS = Date.UTC(2026, 0, 2, 12, 0, 0);
const HOUR_MS = 3_600_000;
const EVENTS: readonly SeawallEvent[] = [
  flowEvent({ timeMs: NOW_MS - 3 * HOUR_MS, verdict: "accept", rule: "github", reason: "allowed" }),
  flowEvent({ timeMs: NOW_MS - HOUR_MS, destination: "2001:db8::1", source: "fd00::5" }),
  flowEvent({
    timeMs: NOW_MS - 60_000,
    verdict: "drop",
    observed: true,
    direction: "inbound",
    place: "world",
    uid: null,
  }),
  { kind: "loss", timeMs: NOW_MS - 2 * HOUR_MS, cause: "kernel", count: 1_200 },
];

async function flows(context: TestContext, flags: Record<string, string | boolean>, events = EVENTS) {
  const directory = temporaryDirectory(context);
  if (events.length > 0) {
    const store = openStore(directory);
    assert.equal(createEventWriter(store).append(events), null);
    closeStore(store);
  }
  const text = { out: "", err: "" };
  const code = await command.run({
    positionals: [],
    flags,
    out: (part) => void (text.out += part),
    err: (part) => void (text.err += part),
    env: { SEAWALL_STATE_DIR: directory },
    cwd: "/",
    nowMs: () => NOW_MS,
    signal: new AbortController().signal,
    color: false,
  });
  assert.equal(code, 0);
  return text;
}

test("the table shows who, where to and why, newest last, and tells what is missing", async (context) => {
  const { out, err } = await flows(context, {});
  assert.equal(
    out,
    [
      "ID  TIME (UTC)           VERDICT     FROM             TO                 PROTOCOL  WHO               WHY",
      "1   2026-01-02 09:00:00  accept      10.0.0.5:40000   198.51.100.7:443   tcp       agent (uid 1001)  github",
      "2   2026-01-02 11:00:00  refuse      [fd00::5]:40000  [2001:db8::1]:443  tcp       agent (uid 1001)  default",
      "3   2026-01-02 11:59:00  would drop  10.0.0.5:40000   198.51.100.7:443   tcp       world             default",
      "",
    ].join("\n"),
  );
  assert.equal(err, "1,200 events of this time are missing (kernel); the counters of the rules have them\n");
});

for (const [name, flags, ids] of [
  ["--since keeps the last two hours", { since: "90m" }, [2, 3]],
  ["--since takes a time", { since: "2026-01-02T11:59:00Z" }, [3]],
  ["--verdict keeps its own", { verdict: "refuse" }, [2]],
  ["--direction keeps its own", { direction: "inbound" }, [3]],
  ["--rule keeps its own", { rule: "github" }, [1]],
  ["--limit keeps the newest", { limit: "2" }, [2, 3]],
] as const) {
  test(name, async (context) => {
    const { out } = await flows(context, { ...flags, json: true });
    const lines = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { id: number; schema: string });
    assert.deepEqual(
      lines.map((line) => line.id),
      ids,
    );
    assert.ok(lines.every((line) => line.schema === "seawall/v1"));
  });
}

test("a loss before the time asked for is not told", async (context) => {
  assert.equal((await flows(context, { since: "90m" })).err, "");
});

test("--json prints nothing on stdout when nothing matches", async (context) => {
  assert.equal((await flows(context, { json: true, rule: "nobody" })).out, "");
});

test("before anything was recorded it says so and succeeds", async (context) => {
  const { out, err } = await flows(context, {}, []);
  assert.equal(out, "");
  assert.match(err, /nothing was recorded yet/);
});

for (const flags of [
  { since: "yesterday" },
  { verdict: "deny" },
  { verdict: "constructor" },
  { direction: "sideways" },
  { limit: "0" },
  { limit: "1e9" },
  { limit: "100001" },
]) {
  test(`${JSON.stringify(flags)} is a usage error that names it`, async (context) => {
    await assert.rejects(flows(context, flags), (error) => {
      assert.ok(error instanceof SeawallError && error.code === "SEAWALL_USAGE");
      return error.message.includes(Object.values(flags)[0] ?? "?");
    });
  });
}

for (const [what, sign] of [
  ["an escape", "\u001b[2J"],
  ["a bell", "\u0007"],
  ["a line end", "\n"],
  ["a carriage return", "\r"],
  ["a change of direction", "\u202e"],
  ["a separator of lines", "\u2028"],
] as const) {
  test(`${what} in what an old log holds of a hostile gate forges no row`, async (context) => {
    const name = `a${sign}9   2026-01-02 12:00:00  accept`;
    const event = flowEvent({ timeMs: NOW_MS, host: name, rule: name, place: name, interfaceOut: name });
    const { out } = await flows(context, {}, [event]);
    assert.equal(out.split("\n").length, 3, out);
    assert.ok(!out.trimEnd().split("\n").join("").includes(sign), JSON.stringify(out));
    const json = await flows(context, { json: true }, [event]);
    assert.equal((JSON.parse(json.out) as { host: string }).host, name);
  });
}

test("a question for a name is shown without a port: what would be approved is another one", async (context) => {
  const event = flowEvent({
    timeMs: NOW_MS,
    host: "a.example.com",
    door: "dns",
    destinationPort: 53,
    protocol: 17,
  });
  const { out } = await flows(context, {}, [event]);
  assert.match(out, /gate \(dns\) +a\.example\.com +dns +agent/);
});
