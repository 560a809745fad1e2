import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { PipelineStats } from "../../src/daemon/pipeline.ts";
import { jsonFromNamespace } from "../support/namespace-json.ts";

interface Output {
  code: number;
  out: string;
  err: string;
}
interface Seen {
  stats: PipelineStats;
  told: number;
  second: string;
  count: number;
  first: Record<string, unknown>;
  table: Output;
  none: Output;
}

let seen: Seen;
before(async () => {
  seen = (await jsonFromNamespace(new URL("./in-namespace/pipeline.ts", import.meta.url))) as Seen;
});

test("every packet that a rule logs is stored once, and nothing is lost", () => {
  assert.deepEqual(seen.stats, {
    read: 5_000,
    foreign: 0,
    malformed: 0,
    queued: 0,
    stored: 5_000,
    lost: { kernel: 0, socket: 0, queue: 0, store: 0 },
    store: { state: "ok" },
    corrected: 0,
    doubted: 0,
    failure: null,
  });
  assert.equal(seen.told, 5_000);
});

test("a second daemon in the same network namespace is refused", () => {
  assert.match(seen.second, /NFLOG group 18900 is already read/);
});

test("flows --json shows each of them as the contract says", () => {
  assert.equal(seen.count, 5_000);
  const { id, time, sourcePort, ...rest } = seen.first;
  assert.equal(id, 1);
  assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.equal(typeof sourcePort, "number");
  assert.deepEqual(rest, {
    schema: "seawall/v1",
    kind: "flow",
    direction: "outbound",
    zone: null,
    scope: "agent",
    verdict: "refuse",
    observed: true,
    rule: null,
    reason: "default",
    generation: 3,
    protocol: "udp",
    source: "127.0.0.1",
    destination: "127.0.0.1",
    destinationPort: 9,
    icmpType: null,
    tcpFlags: null,
    bytes: 29,
    interfaceIn: null,
    interfaceOut: "lo",
    uid: 0,
    gid: 0,
    host: null,
    door: null,
    refusal: "sw-mgfegbnmc3zum57z2ntz",
  });
});

test("flows shows a table with the newest last", () => {
  const [heading = "", four = "", six = "", ...more] = seen.table.out.split("\n");
  assert.match(heading, /^ID +TIME \(UTC\) +VERDICT +FROM +TO +PROTOCOL +WHO +WHY$/);
  assert.match(
    four,
    /^4999 .* would refuse +127\.0\.0\.1:\d+ +127\.0\.0\.1:9 +udp +agent \(uid 0\) +default sw-mgfegbnmc3zum57z2ntz$/,
  );
  assert.match(six, /^5000 .* would refuse +\[::1\]:\d+ +\[::1\]:9 +udp/);
  assert.deepEqual(more, [""]);
});

test("flows that match nothing print nothing on stdout and say so on stderr", () => {
  assert.deepEqual(seen.none, { code: 0, out: "", err: "no connection matches\n" });
});
